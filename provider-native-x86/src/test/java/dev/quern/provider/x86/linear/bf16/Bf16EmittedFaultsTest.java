package dev.quern.provider.x86.linear.bf16;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.FaultHunt;
import dev.quern.provider.x86.linear.LinearData;
import dev.quern.provider.x86.linear.floats.BlockPanels;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.memory.Routine;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Faults in emitted code of the BF16 linears are found: each instruction of products by
/// `vdpbf16ps` and by `tdpbf16ps`, of a decoder and of the copy of a row is broken in several ways.
class Bf16EmittedFaultsTest {
  private static final int ROWS = 2;

  /// Faults that are none, as regular expressions.
  private static final List<String> ALIKE =
      List.of(
          // rax and rdx have a bit that rcx has, if any.
          ".*: test rcx, rcx: test (rcx, rax|rax, rcx)",
          // Blocks are a multiple of what is taken from their count, and not many times that.
          ".*: sub rcx, [248]: sub rcx, [359]",
          // What is zero unless x is not finite is as good as zero, and the other way round.
          ".*: \\{evex} vfmadd231ps zmm9, zmm[01], zmm8: .* zmm[89], zmm[01], zmm[89]",
          // A rest of nothing: zeros to where the feet of this row and the next ones come to lie.
          "item 22: jle .L2: left out");

  private static Bf16Code sound(CpuRow row, BlockFormat format) throws Exception {
    return new Bf16Linears(row, InterpretedRoutine::load).code(format).orElseThrow();
  }

  @Test
  void products() throws Exception {
    Bf16Code sound = sound(CpuRow.AVX512_BF16, BlockFormat.F16);
    FaultHunt.check(
        "BF16 product",
        Bf16Product.code(ROWS),
        ALIKE,
        (routine, seed) -> {
          List<Routine> products = new ArrayList<>(sound.products());
          products.set(ROWS - 1, routine);
          Bf16Code code =
              new Bf16Code(
                  sound.panels(),
                  sound.packing(),
                  sound.tilesFrom(),
                  sound.rowCopy(),
                  sound.decoder(),
                  products,
                  sound.tileProducts());
          // Each slice is the one that y does not have whole.
          int outputs = seed % 3 == 0 ? 32 + 3 : 64 - 3;
          return difference(code, data(BlockFormat.F16, ROWS, outputs, 64, seed), seed);
        });
  }

  /// Of rows for one half of the tiles, and for both.
  @TestFactory
  Stream<DynamicTest> tileProducts() {
    return Stream.of(false, true)
        .map(both -> DynamicTest.dynamicTest(both ? "both halves" : "one", () -> checkTiles(both)));
  }

  private static void checkTiles(boolean both) throws Exception {
    Bf16Code sound = sound(CpuRow.AMX, BlockFormat.F16);
    FaultHunt.check(
        "BF16 product of tiles, both halves: " + both,
        AmxBf16Product.code(both),
        ALIKE,
        (routine, seed) -> {
          List<Routine> products = new ArrayList<>(sound.tileProducts());
          products.set(both ? 1 : 0, routine);
          Bf16Code code =
              new Bf16Code(
                  sound.panels(),
                  sound.packing(),
                  sound.tilesFrom(),
                  sound.rowCopy(),
                  sound.decoder(),
                  sound.products(),
                  products);
          int outputs = seed % 3 == 0 ? 32 + 3 : 64 - 3;
          int rows = both ? 17 + seed : 9 + seed;
          return difference(code, data(BlockFormat.F16, rows, outputs, 64, seed), seed);
        });
  }

  @TestFactory
  Stream<DynamicTest> decoders() {
    return PanelFormat.table().stream()
        .map(PanelFormat::format)
        .map(f -> DynamicTest.dynamicTest(f.toString(), () -> checkDecoder(f)));
  }

  private static void checkDecoder(BlockFormat format) throws Exception {
    Bf16Code sound = sound(CpuRow.AVX512_BF16, format);
    FaultHunt.check(
        "BF16 decoder of " + format,
        Bf16Decoder.code((BlockPanels) sound.panels()),
        // It leaves the registers alone whose upper halves must be clean: zmm0 to 15.
        Stream.concat(ALIKE.stream(), Stream.of(".*: vzeroupper: left out")).toList(),
        (routine, seed) -> {
          Bf16Code code =
              new Bf16Code(
                  sound.panels(),
                  sound.packing(),
                  sound.tilesFrom(),
                  sound.rowCopy(),
                  routine,
                  sound.products(),
                  sound.tileProducts());
          int inputs = 2 * Math.max(32, format.blockElements());
          return difference(code, data(format, 1, 35, inputs, seed), 0);
        });
  }

  /// Inputs of rows that are copied: no whole block, no rest, a rest in either half.
  private static final int[] LENGTHS = {3, 32, 31, 64, 45, 20, 9, 50};

  /// With something that is not finite in each lane.
  @Test
  void rowCopy() throws Exception {
    Bf16Code sound = sound(CpuRow.AVX512_BF16, BlockFormat.F32);
    FaultHunt.check(
        "copy of rows to BF16",
        Bf16RowCopy.code(),
        ALIKE,
        (routine, seed) -> {
          Function<Arena, LinearData> operands =
              arena -> {
                int inputs = LENGTHS[seed];
                LinearData data = LinearData.random(arena, BlockFormat.F32, 72, 3, inputs, seed);
                for (int row = 1; row < 72; row += 2) {
                  data.x().set(row, row / 2 % inputs, Float.POSITIVE_INFINITY);
                }
                return data;
              };
          Bf16Code code =
              new Bf16Code(
                  sound.panels(),
                  sound.packing(),
                  sound.tilesFrom(),
                  routine,
                  sound.decoder(),
                  sound.products(),
                  sound.tileProducts());
          return difference(code, operands, 0);
        });
  }

  /// Ordinary rows; for some seeds one is not finite.
  private static Function<Arena, LinearData> data(
      BlockFormat format, int rows, int outputs, int inputs, int seed) {
    return arena -> {
      LinearData data = LinearData.random(arena, format, rows, outputs, inputs, seed);
      if (seed % 4 == 2) {
        data.x().set(seed / 4 % rows, 7, Float.POSITIVE_INFINITY);
      }
      return data;
    };
  }

  /// Where it differs; empty if nowhere. For odd seeds it adds to y.
  private static String difference(Bf16Code code, Function<Arena, LinearData> operands, int seed) {
    try (Arena arena = Arena.ofConfined()) {
      LinearData data = operands.apply(arena);
      boolean adds = seed % 2 == 1;
      boolean tiles = data.x().rows() >= code.tilesFrom();
      float[][] expected = Bf16Reference.multiply(data.x(), data.w(), tiles);
      float[][] before = new float[expected.length][data.w().outputs()];
      Random random = new Random(5);
      for (float[] row : before) {
        for (int o = 0; o < row.length; o++) {
          row[o] = (float) random.nextGaussian();
        }
      }
      F32Matrix y = data.apply(code, arena, adds ? before : null);
      for (int r = 0; r < expected.length; r++) {
        for (int o = 0; o < expected[r].length; o++) {
          float sum = adds ? before[r][o] + expected[r][o] : expected[r][o];
          boolean same = sum == y.get(r, o) || Float.isNaN(sum) && Float.isNaN(y.get(r, o));
          if (!same) {
            return String.format(Locale.ROOT, "y[%d][%d]: %s, expected %s", r, o, y.get(r, o), sum);
          }
        }
      }
      return "";
    }
  }
}

package dev.quern.provider.x86.linear.int8;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.FaultHunt;
import dev.quern.provider.x86.linear.LinearData;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.memory.Routine;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Faults in emitted code are found: each instruction of a rounding and of a product for two rows
/// is broken in several ways, and the reference's bits, or the interpreter's rules, tell. In other
/// words: there is no instruction that could as well be another, but for those of [#ALIKE].
class EmittedFaultsTest {
  private static final int ROWS = 2;

  /// Faults that are none, as regular expressions.
  private static final List<String> ALIKE =
      List.of(
          // rax has a bit that rcx has, if any.
          ".*: test rcx, rcx: test (rcx, rax|rax, rcx)",
          // Blocks are a multiple of what is taken from their count, and not many times that.
          ".*: sub rcx, ([248]): sub rcx, [359]",
          // A d is not finite where the largest magnitude is not.
          ".*: \\{vex} vfmadd231ss xmm5, xmm4, xmm8: \\{vex} vfmadd231ss xmm5, xmm5, xmm8",
          // What is zero unless x is not finite is as good as zero, and the other way round.
          ".*: \\{vex} vfmadd231ps ymm9, ymm[0-3], ymm8: \\{vex} vfmadd231ps ymm9, ymm[0-3], ymm9",
          ".*: \\{vex} vfmadd231ps ymm9, ymm[0-2], ymm8: \\{vex} vfmadd231ps ymm8, ymm[0-2], ymm8",
          ".*: \\{vex} vcmpps xmm2, xmm1, xmm8, 0: \\{vex} vcmpps xmm2, xmm1, xmm9, 0");

  @TestFactory
  Stream<DynamicTest> products() {
    return Stream.of(CpuRow.AVX512_VNNI, CpuRow.AVX_VNNI, CpuRow.AVX2)
        .flatMap(row ->
            PanelFormat.table().stream()
                .map(f ->
                    DynamicTest.dynamicTest(row + " " + f.format(), () -> checkProduct(row, f))));
  }

  /// One format of each kind of terms, one without, one whose rows are rounded as a whole.
  @TestFactory
  Stream<DynamicTest> rounding() {
    return Stream.of(
            BlockFormat.Q4_0,
            BlockFormat.Q4_1,
            BlockFormat.Q6_K,
            BlockFormat.Q8_0,
            BlockFormat.INT8_C)
        .map(f ->
            DynamicTest.dynamicTest(
                f.toString(), () -> checkRounding(PanelFormat.of(f).orElseThrow())));
  }

  private static void checkProduct(CpuRow row, PanelFormat format) throws Exception {
    List<Code> codes = new ArrayList<>();
    Int8Code sound = interpreted(row, format, codes);
    int inputs = 2 * Math.max(29, format.format().blockElements());
    FaultHunt.check(
        "product of " + format.format() + " on " + row,
        codes.get(ROWS),
        ALIKE,
        (routine, seed) -> {
          List<Routine> products = new ArrayList<>(sound.products());
          products.set(ROWS - 1, routine);
          Int8Code code =
              new Int8Code(
                  sound.unit(),
                  format,
                  sound.packing(),
                  sound.rounding(),
                  sound.tiles(),
                  products,
                  Optional.empty());
          return difference(code, productData(format, inputs, seed), seed % 2 == 1);
        });
  }

  /// Ordinary rows; for some seeds one is not finite.
  private static Operands productData(PanelFormat format, int inputs, int seed) {
    return arena -> {
      LinearData data = LinearData.random(arena, format.format(), ROWS, 21, inputs, seed);
      if (seed % 4 == 2) {
        data.x().set(1, 40, Float.POSITIVE_INFINITY);
      }
      return data;
    };
  }

  private static void checkRounding(PanelFormat format) throws Exception {
    List<Code> codes = new ArrayList<>();
    Int8Code sound = interpreted(CpuRow.AVX2, format, codes);
    FaultHunt.check(
        "rounding for " + format.format(),
        codes.getFirst(),
        ALIKE,
        (routine, seed) ->
            difference(
                new Int8Code(
                    sound.unit(),
                    format,
                    sound.packing(),
                    routine,
                    sound.tiles(),
                    sound.products(),
                    Optional.empty()),
                roundingData(format, seed),
                false));
  }

  /// Rows whose largest element is in each lane, that are not finite in each lane, and extreme
  /// ones.
  private static Operands roundingData(PanelFormat format, int seed) {
    int elements = format.format().blockElements();
    int inputs = elements > 1 ? 2 * elements : 32 + 8 * (seed % 4) + 5; // the last block's end
    return arena -> {
      LinearData data = LinearData.random(arena, format.format(), 72, 3, inputs, seed);
      for (int row = 0; row < 72; row++) {
        for (int i = 0; i < inputs; i++) {
          float x = data.x().get(row, i);
          boolean lane = i % 32 == row % 32;
          float changed =
              switch (row) {
                case 64 -> i < 32 ? Float.POSITIVE_INFINITY : x;
                case 65 -> 0;
                case 66 -> 1e-39f;
                case 67 -> -1 - Math.abs(x);
                case 68 -> 1e-17f * (1 + Math.abs(x));
                case 69 -> i % 2 == 0 ? 3e38f : -3e38f;
                case 70 -> i % 2 == 0 ? 1e-40f : -1e-41f;
                case 71 -> 5;
                default ->
                    !lane || row > 32 && i < 32
                        ? x
                        : row < 32 ? (i % 2 - 0.5f) * 1e8f : NOT_FINITE[row % 3];
              };
          data.x().set(row, i, changed);
        }
      }
      return data;
    };
  }

  private static final float[] NOT_FINITE = {
    Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN
  };

  private static Int8Code interpreted(CpuRow row, PanelFormat format, List<Code> codes)
      throws Exception {
    return Int8Code.load(
        DotUnit.of(row),
        format,
        all -> {
          codes.addAll(all);
          return InterpretedRoutine.load(all);
        });
  }

  @FunctionalInterface
  interface Operands {
    LinearData in(Arena arena);
  }

  /// Where it differs; empty if nowhere.
  ///
  /// @param adds whether it adds to y
  static String difference(Int8Code code, Operands operands, boolean adds) {
    try (Arena arena = Arena.ofConfined()) {
      LinearData data = operands.in(arena);
      int outputs = data.w().outputs();
      float[][] expected = Int8Reference.multiply(data.x(), data.w());
      float[][] before = new float[expected.length][outputs];
      Random random = new Random(5);
      for (float[] row : before) {
        for (int o = 0; o < outputs; o++) {
          row[o] = (float) random.nextGaussian();
        }
      }
      F32Matrix y = data.apply(code, arena, adds ? before : null);
      for (int r = 0; r < expected.length; r++) {
        for (int o = 0; o < outputs; o++) {
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

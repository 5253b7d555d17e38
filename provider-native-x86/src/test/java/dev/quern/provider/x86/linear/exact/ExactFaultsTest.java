package dev.quern.provider.x86.linear.exact;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.FaultHunt;
import dev.quern.provider.x86.linear.LinearData;
import dev.quern.provider.x86.linear.floats.FloatUnit;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import dev.quern.provider.x86.memory.Routine;
import dev.quern.provider.x86.memory.RoutineLoader;
import dev.quern.testing.LeftOut;
import dev.quern.testing.LeftOut.Asked;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Faults in emitted code of the F32 linears are found: each instruction of a product for two rows,
/// of a decoder and of the copy of a row is broken in several ways.
class ExactFaultsTest {
  private static final int ROWS = 2;

  /// Whose decoders a plain build breaks: halves, blocks of four bits, superblocks, a table.
  private static final List<BlockFormat> ONE_OF_A_KIND =
      List.of(BlockFormat.F16, BlockFormat.Q4_0, BlockFormat.Q6_K, BlockFormat.IQ4_NL);

  /// Faults that are none, as regular expressions.
  private static final List<String> ALIKE =
      List.of(
          // rax or rdx has a bit that rcx has, if any.
          ".*: test rcx, rcx: test (rcx, rax|rax, rcx)",
          // Blocks are a multiple of what is taken from their count, and not many times that.
          ".*: sub rcx, [248]: sub rcx, [359]",
          // What is zero unless x is not finite is as good as zero, and the other way round.
          ".*: \\{vex} vmovups YMMWORD PTR \\[rdx], ymm8: .* ymm9",
          ".*: \\{vex} vfmadd231ps ymm9, ymm0, ymm8: \\{vex} vfmadd231ps ymm9, ymm0, ymm9",
          ".*: \\{vex} vfmadd231ps ymm9, ymm0, ymm8: \\{vex} vfmadd231ps ymm8, ymm0, ymm8");

  /// And where code leaves the registers alone whose upper halves must be clean: zmm0 to 15.
  private static final List<String> ALIKE_UPPER =
      Stream.concat(ALIKE.stream(), Stream.of(".*: vzeroupper: left out")).toList();

  private static Stream<DynamicTest> everyUnitAndFormat(
      Predicate<BlockFormat> formats, Check check) {
    return FloatUnit.table().stream()
        .flatMap(unit ->
            WeightPanels.formats().stream()
                .filter(formats)
                .map(f ->
                    DynamicTest.dynamicTest(unit.row() + " " + f, () -> check.check(unit, f))));
  }

  @FunctionalInterface
  private interface Check {
    void check(FloatUnit unit, BlockFormat format) throws Exception;
  }

  /// Formats that are widened, and one of each kind of blocks: the others differ in what decoders
  /// have too.
  @TestFactory
  Stream<DynamicTest> products() {
    return everyUnitAndFormat(
        Set.of(
                BlockFormat.F32,
                BlockFormat.F16,
                BlockFormat.BF16,
                BlockFormat.Q4_K,
                BlockFormat.INT8_C)
            ::contains,
        ExactFaultsTest::checkProduct);
  }

  @TestFactory
  Stream<DynamicTest> decoders() {
    List<BlockFormat> all =
        WeightPanels.formats().stream().filter(f -> !f.equals(BlockFormat.F32)).toList();
    List<BlockFormat> tried = LeftOut.some(getClass(), Asked.FULL, "formats", all, ONE_OF_A_KIND);
    return everyUnitAndFormat(tried::contains, ExactFaultsTest::checkDecoder);
  }

  private static void checkProduct(FloatUnit unit, BlockFormat format) throws Exception {
    WeightPanels panels = WeightPanels.of(format, unit.outputs()).orElseThrow();
    ExactCode sound = ExactBitsTest.load(unit, format, InterpretedRoutine::load);
    int inputs = 2 * Math.max(panels.inputs(), format.blockElements());
    FaultHunt.check(
        "F32 product of " + format + " on " + unit.row(),
        ExactProduct.code(unit, panels, ROWS),
        ALIKE,
        (routine, seed) -> {
          List<Routine> fused = new ArrayList<>(sound.fused());
          fused.set(ROWS - 1, routine);
          ExactCode code =
              new ExactCode(
                  unit,
                  panels,
                  sound.packing(),
                  sound.directRows(),
                  sound.rowCopy(),
                  sound.decoder(),
                  fused,
                  sound.products());
          // Each slice is the one that y does not have whole.
          int outputs = seed % 3 == 0 ? unit.outputs() + 3 : 2 * unit.outputs() - 3;
          return difference(code, data(format, ROWS, outputs, inputs, seed), seed);
        });
  }

  /// More rows than products take without it.
  private static void checkDecoder(FloatUnit unit, BlockFormat format) throws Exception {
    WeightPanels panels = WeightPanels.of(format, unit.outputs()).orElseThrow();
    ExactCode sound = ExactBitsTest.load(unit, format, InterpretedRoutine::load);
    int inputs = 2 * Math.max(panels.inputs(), format.blockElements());
    FaultHunt.check(
        "decoder of " + format + " on " + unit.row(),
        ExactProduct.decoder(unit, panels),
        unit.bits() == 512 ? ALIKE_UPPER : ALIKE,
        (routine, seed) ->
            difference(
                new ExactCode(
                    unit,
                    panels,
                    sound.packing(),
                    0,
                    sound.rowCopy(),
                    routine,
                    List.of(),
                    sound.products()),
                data(format, 1, unit.outputs() + 3, inputs, seed),
                0));
  }

  /// Inputs of rows that are copied: no whole block, no rest, blocks of zeros and none.
  private static final int[] LENGTHS = {3, 8, 31, 18, 32, 20, 9, 29};

  /// Rows that end everywhere within a block, with something that is not finite in each lane.
  @Test
  void rowCopy() throws Exception {
    List<Code> codes = new ArrayList<>();
    RoutineLoader loader =
        all -> {
          codes.addAll(all);
          return InterpretedRoutine.load(all);
        };
    FloatUnit unit = FloatUnit.table().getLast();
    ExactCode sound = ExactBitsTest.load(unit, BlockFormat.INT8_C, loader);
    FaultHunt.check(
        "copy of rows",
        codes.getFirst(),
        ALIKE,
        (routine, seed) -> {
          Function<Arena, LinearData> operands =
              arena -> {
                int inputs = LENGTHS[seed];
                LinearData data = LinearData.random(arena, BlockFormat.INT8_C, 20, 3, inputs, seed);
                for (int row = 1; row < 20; row += 2) {
                  data.x().set(row, (row + 4 * seed) % inputs, Float.POSITIVE_INFINITY);
                }
                return data;
              };
          ExactCode code =
              new ExactCode(
                  unit,
                  sound.panels(),
                  sound.packing(),
                  sound.directRows(),
                  routine,
                  sound.decoder(),
                  sound.fused(),
                  sound.products());
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
  private static String difference(ExactCode code, Function<Arena, LinearData> operands, int seed) {
    try (Arena arena = Arena.ofConfined()) {
      LinearData data = operands.apply(arena);
      boolean adds = seed % 2 == 1;
      float[][] expected = ExactReference.multiply(data.x(), data.w());
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

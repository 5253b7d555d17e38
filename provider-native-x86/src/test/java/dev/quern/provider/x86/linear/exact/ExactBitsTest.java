package dev.quern.provider.x86.linear.exact;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.LinearData;
import dev.quern.provider.x86.linear.floats.FloatPanels;
import dev.quern.provider.x86.linear.floats.FloatUnit;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.provider.x86.memory.RoutineLoader;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// F32 products of every unit give the reference's bits: interpreted on any machine, and on a CPU
/// that has the unit there as well. All heights of tiles are met, alone and several, so a row's
/// bits do not depend on how many there are, nor on whether weights were decoded in registers.
class ExactBitsTest {
  /// Outputs, blocks of the format or about as many inputs: a panel and a bit, one lane, several.
  private static final int[][] SHAPES = {{39, 3}, {1, 1}, {64, 2}};

  @TestFactory
  Stream<DynamicTest> everyUnitAndFormat() {
    return FloatUnit.table().stream()
        .flatMap(unit ->
            WeightPanels.formats().stream()
                .map(f -> DynamicTest.dynamicTest(unit.row() + " " + f, () -> check(unit, f))));
  }

  static ExactCode load(FloatUnit unit, BlockFormat format, RoutineLoader loader)
      throws RefusedException {
    ExactCode f32 = ExactCode.f32(unit, new FloatPanels(BlockFormat.F32, unit.outputs()), loader);
    return format.equals(BlockFormat.F32)
        ? f32
        : ExactCode.load(f32, WeightPanels.of(format, unit.outputs()).orElseThrow(), loader);
  }

  private static void check(FloatUnit unit, BlockFormat format) throws Exception {
    List<ExactCode> all = new ArrayList<>();
    all.add(load(unit, format, InterpretedRoutine::load));
    if (Host.has(unit.row().needs())) {
      all.add(load(unit, format, NativeRoutines::load));
    } else {
      System.out.println("[quern] only interpreted on this CPU: " + format + " on " + unit.row());
    }
    for (int[] shape : SHAPES) {
      for (int rows = 1; rows <= 2 * unit.maxRows() + 1; rows++) {
        for (ExactCode code : all) {
          check(code, rows, shape);
        }
      }
    }
  }

  private static void check(ExactCode code, int rows, int[] shape) {
    BlockFormat format = code.panels().format();
    try (Arena arena = Arena.ofConfined()) {
      int inputs = shape[1] * Math.max(13, format.blockElements()); // floats: no multiple of 8
      LinearData data = LinearData.random(arena, format, rows, shape[0], inputs, rows);
      if (rows > 2) {
        data.x().set(1, 5, Float.NEGATIVE_INFINITY);
        data.x().set(2, 12, Float.NaN);
      }
      F32Matrix y = data.apply(code, arena, null);
      float[][] expected = ExactReference.multiply(data.x(), data.w());
      for (int r = 0; r < rows; r++) {
        for (int o = 0; o < shape[0]; o++) {
          assertEquals(
              expected[r][o],
              y.get(r, o),
              String.format(Locale.ROOT, "%d rows, %s, y[%d][%d]", rows, format, r, o));
        }
      }
    }
  }
}

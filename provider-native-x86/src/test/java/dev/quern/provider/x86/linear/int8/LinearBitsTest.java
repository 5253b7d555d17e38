package dev.quern.provider.x86.linear.int8;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.LinearData;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.memory.NativeRoutines;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Products of every row of the table of CPUs give the reference's bits: interpreted on any
/// machine, and on a CPU that has the row's features there as well. All heights of tiles are met,
/// whole ones and what is left, so a row's bits do not depend on how many there are.
class LinearBitsTest {
  /// Outputs, blocks of the format: a panel and a bit, one lane, several panels.
  private static final int[][] SHAPES = {{19, 3}, {1, 1}, {48, 2}};

  @TestFactory
  Stream<DynamicTest> everyRowAndFormat() {
    return CpuRow.table().stream()
        .filter(row -> DotUnit.of(row).row().equals(row)) // others have the code of one of these
        .flatMap(row ->
            PanelFormat.table().stream()
                .map(f -> DynamicTest.dynamicTest(row + " " + f.format(), () -> check(row, f))));
  }

  private static void check(CpuRow row, PanelFormat format) throws Exception {
    DotUnit unit = DotUnit.of(row);
    List<Int8Code> all = new ArrayList<>();
    all.add(Int8Code.load(unit, format, InterpretedRoutine::load));
    String refusal = Host.refusal(unit.row());
    if (refusal.isEmpty()) {
      all.add(Int8Code.load(unit, format, NativeRoutines::load));
    } else {
      System.out.println(
          "[quern] only interpreted: " + format.format() + " on " + row + ": " + refusal);
    }
    for (int[] shape : SHAPES) {
      for (int rows = 1; rows <= 2 * unit.maxRows() + 1; rows++) {
        for (Int8Code code : all) {
          check(code, rows, shape);
        }
      }
    }
  }

  private static void check(Int8Code code, int rows, int[] shape) {
    BlockFormat format = code.format().format();
    try (Arena arena = Arena.ofConfined()) {
      int inputs = shape[1] * Math.max(29, format.blockElements()); // INT8_C: no multiple of 32
      LinearData data = LinearData.random(arena, format, rows, shape[0], inputs, rows);
      if (rows > 2) {
        data.x().set(1, 5, Float.NEGATIVE_INFINITY);
        data.x().set(2, 27, Float.NaN);
      }
      F32Matrix y = data.apply(code, arena, null);
      float[][] expected = Int8Reference.multiply(data.x(), data.w());
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

package dev.quern.provider.x86.linear.bf16;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.LinearData;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import dev.quern.provider.x86.memory.NativeRoutines;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// BF16 products give the reference's bits, by `vdpbf16ps` and by `tdpbf16ps`: interpreted on any
/// machine, and on a CPU that has them there as well. All heights of tiles are met, alone and
/// several, so a row's bits do not depend on how many there are of a variant.
class Bf16BitsTest {
  /// Outputs, blocks of the format or so many times 13 inputs: a panel and a bit, one lane,
  /// several.
  private static final int[][] SHAPES = {{39, 3}, {1, 1}, {64, 6}};

  @TestFactory
  Stream<DynamicTest> everyRowAndFormat() {
    return Stream.of(CpuRow.AVX512_BF16, CpuRow.AMX)
        .flatMap(row ->
            WeightPanels.formats().stream()
                .map(f -> DynamicTest.dynamicTest(row + " " + f, () -> check(row, f))));
  }

  private static void check(CpuRow row, BlockFormat format) throws Exception {
    List<Bf16Code> all = new ArrayList<>();
    all.add(new Bf16Linears(row, InterpretedRoutine::load).code(format).orElseThrow());
    String refusal = Host.refusal(row);
    if (refusal.isEmpty()) {
      all.add(new Bf16Linears(row, NativeRoutines::load).code(format).orElseThrow());
    } else {
      System.out.println("[quern] only interpreted: " + format + " on " + row + ": " + refusal);
    }
    boolean amx = row.equals(CpuRow.AMX);
    for (int[] shape : SHAPES) {
      for (int rows :
          amx ? List.of(1, 8, 9, 16, 17, 31, 32, 33, 70) : List.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 17)) {
        for (Bf16Code code : all) {
          check(code, rows, shape, amx && rows >= Bf16Linears.TILES_FROM);
        }
      }
    }
  }

  private static void check(Bf16Code code, int rows, int[] shape, boolean tiles) {
    BlockFormat format = code.panels().format();
    try (Arena arena = Arena.ofConfined()) {
      int inputs = shape[1] * Math.max(13, format.blockElements()); // floats: no multiple of 32
      LinearData data = LinearData.random(arena, format, rows, shape[0], inputs, rows);
      if (rows > 2) {
        data.x().set(1, 5, Float.NEGATIVE_INFINITY);
        data.x().set(2, 12, Float.NaN);
      }
      F32Matrix y = data.apply(code, arena, null);
      float[][] expected = Bf16Reference.multiply(data.x(), data.w(), tiles);
      for (int r = 0; r < rows; r++) {
        for (int o = 0; o < shape[0]; o++) {
          // Zeros of either sign: a sum that is added to zero, or a flushed one.
          assertEquals(
              expected[r][o] + 0f,
              y.get(r, o) + 0f,
              String.format(Locale.ROOT, "%d rows, %s, y[%d][%d]", rows, format, r, o));
        }
      }
    }
  }
}

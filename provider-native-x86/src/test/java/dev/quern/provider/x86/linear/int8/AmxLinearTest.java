package dev.quern.provider.x86.linear.int8;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.llama.WorkerPool;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.linear.LinearData;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.linear.panel.PanelWeights;
import dev.quern.provider.x86.memory.NativeRoutines;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Linears of CPUs with tiles: interpreted on any machine, and on hardware where it has them.
class AmxLinearTest {
  private static final int ROWS = 29; // a whole tile, and a shorter one by tiles

  /// What `quern.numerics=invariant` promises: a row's bits are the same by tiles and by dot
  /// products, in any chunks.
  @TestFactory
  Stream<DynamicTest> bitsDoNotDependOnTheNumberOfRows() {
    return PanelFormat.table().stream()
        .map(f -> DynamicTest.dynamicTest(f.format().id(), () -> checkChunks(f)));
  }

  private static void checkChunks(PanelFormat format) throws Exception {
    for (Int8Code tiles : codes(format)) {
      Int8Code dots =
          Int8Code.load(DotUnit.of(CpuRow.AVX512_VNNI), format, InterpretedRoutine::load);
      try (Arena arena = Arena.ofConfined()) {
        int inputs = 3 * Math.max(31, format.format().blockElements());
        LinearData data = LinearData.random(arena, format.format(), ROWS, 37, inputs, 11);
        F32Matrix all = data.apply(tiles, arena, null);
        assertSame(all, data.apply(dots, arena, null), 0);
        for (int chunk : new int[] {1, 7, AmxProduct.MIN_ROWS, 12, AmxProduct.MAX_ROWS}) {
          for (int first = 0; first < ROWS; first += chunk) {
            F32Matrix x = data.x().rowRange(first, Math.min(first + chunk, ROWS));
            assertSame(all, new LinearData(x, data.w()).apply(tiles, arena, null), first);
          }
        }
      }
    }
  }

  /// Rows of `all` from the first on are those of `some`, bit for bit.
  private static void assertSame(F32Matrix all, F32Matrix some, int first) {
    for (int r = 0; r < some.rows(); r++) {
      for (int o = 0; o < some.columns(); o++) {
        assertEquals(
            Float.floatToRawIntBits(all.get(first + r, o)),
            Float.floatToRawIntBits(some.get(r, o)));
      }
    }
  }

  /// More panels than are unpacked at a time, and two workers, who have scratch of their own.
  @Test
  void groupsOfPanelsAndWorkers() throws Exception {
    PanelFormat format = PanelFormat.of(BlockFormat.Q4_0).orElseThrow();
    int inputs = 8192;
    int outputs = 130;
    for (Int8Code code : codes(format)) {
      long panel = code.unit().layout(format).unpacked().bytes(inputs / PanelLayout.BLOCK);
      assertTrue(panel * (outputs / 16) > Int8Linear.UNPACKED_BYTES, "a single group");
      try (Arena arena = Arena.ofShared();
          WorkerPool pool = new WorkerPool(2)) {
        LinearData data =
            LinearData.random(arena, format.format(), AmxProduct.MIN_ROWS, outputs, inputs, 3);
        float[][] expected = Int8Reference.multiply(data.x(), data.w());
        for (Workers workers : List.of(Workers.sequential(), pool)) {
          F32Matrix y = apply(code, data, arena, workers);
          for (int r = 0; r < y.rows(); r++) {
            float[] row = new float[outputs];
            for (int o = 0; o < outputs; o++) {
              row[o] = y.get(r, o);
            }
            assertArrayEquals(expected[r], row);
          }
        }
      }
    }
  }

  private static F32Matrix apply(Int8Code code, LinearData data, Arena arena, Workers workers) {
    LinearSpec spec =
        new LinearSpec(
            data.w().format(),
            data.w().outputs(),
            data.w().inputs(),
            false,
            Set.of(code.format().numerics()));
    PanelWeights weights = code.pack(spec, List.of(data.w()), arena, workers);
    LinearKernel kernel = new Int8Linear(spec, code, weights);
    int rows = data.x().rows();
    F32Matrix y = F32Matrix.allocate(arena, rows, data.w().outputs());
    MemorySegment scratch =
        arena.allocate(kernel.scratchBytes(rows, workers.parallelism()), 64).fill((byte) -1);
    kernel.apply(data.x(), y, new Workspace(scratch, workers));
    return y;
  }

  private static List<Int8Code> codes(PanelFormat format) throws Exception {
    List<Int8Code> codes = new ArrayList<>();
    codes.add(Int8Code.load(DotUnit.of(CpuRow.AMX), format, InterpretedRoutine::load));
    String refusal = Host.refusal(CpuRow.AMX);
    if (refusal.isEmpty()) {
      codes.add(Int8Code.load(DotUnit.of(CpuRow.AMX), format, NativeRoutines::load));
    } else {
      System.out.println("[quern] only interpreted: " + format.format() + ": " + refusal);
    }
    return codes;
  }
}

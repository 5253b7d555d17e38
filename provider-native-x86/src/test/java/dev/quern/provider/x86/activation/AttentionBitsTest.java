package dev.quern.provider.x86.activation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.data.KvFormat;
import dev.quern.data.Workers;
import dev.quern.llama.WorkerPool;
import dev.quern.op.AttentionSpec;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.interpreter.InterpretedRoutine;
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.provider.x86.memory.WideRoutine;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Attention of every width of vectors gives the reference's bits, which know of one query at a
/// time: so a query's bits depend on nothing but its row, its position and the cache. Interpreted
/// on any machine, and on a CPU that has the features there as well, by one worker and by three.
class AttentionBitsTest {
  /// Heads, KV heads, headDim, rows, first position: one position, tiles that end anywhere, ranges,
  /// one row and several, heads that are no whole vectors.
  private static final int[][] SHAPES = {
    {1, 1, 1, 1, 0},
    {2, 1, 5, 1, 40},
    {4, 2, 16, 3, 30},
    {4, 4, 20, 33, 0},
    {3, 1, 31, 2, 63},
    {2, 2, 64, 1, 31},
    {6, 2, 72, 4, 29},
    {2, 1, 8, 1, 1030},
    {2, 1, 8, 3, 510},
    {70, 1, 3, 2, 33},
  };

  /// Longer ones, for a CPU.
  private static final int[][] LARGE_SHAPES = {
    {32, 8, 64, 70, 500}, {8, 2, 128, 1, 1600}, {4, 4, 136, 20, 1020}, {4, 1, 64, 1, 1535},
  };

  @TestFactory
  Stream<DynamicTest> everyWidthAndFormat() {
    return Stream.of(CpuRow.AVX512_VNNI, CpuRow.AVX2)
        .flatMap(row ->
            Stream.of(KvFormat.F16, KvFormat.F32)
                .map(kv -> DynamicTest.dynamicTest(row + " " + kv, () -> check(row, kv))));
  }

  private static void check(CpuRow row, KvFormat kv) throws Exception {
    boolean runs = Host.has(row.needs());
    if (!runs) {
      System.out.println("[quern] only interpreted on this CPU: attention " + kv + " on " + row);
    }
    for (int i = 0; i < SHAPES.length; i++) {
      AttentionCalls calls = calls(row, kv, SHAPES[i], i);
      String what = calls.toString();
      List<WideRoutine> interpreted = InterpretedRoutine.loadWide(codes(row, calls.layout()));
      assertEquals("", calls.difference(interpreted, Workers.sequential()), what);
      if (runs) {
        checkNative(row, calls);
      }
    }
    for (int i = 0; runs && i < LARGE_SHAPES.length; i++) {
      checkNative(row, calls(row, kv, LARGE_SHAPES[i], i));
    }
  }

  private static void checkNative(CpuRow row, AttentionCalls calls) throws Exception {
    List<WideRoutine> routines = NativeRoutines.loadWide(codes(row, calls.layout()));
    assertEquals("", calls.difference(routines, Workers.sequential()), calls.toString());
    try (WorkerPool pool = new WorkerPool(3)) {
      assertEquals("", calls.difference(routines, pool), calls.toString());
    }
  }

  private static AttentionCalls calls(CpuRow row, KvFormat kv, int[] s, int seed) {
    AttentionSpec spec = new AttentionSpec(s[0], s[1], s[2], s[3] + s[4], 0.3f, kv);
    return new AttentionCalls(spec, Lanes.count(row), s[3], s[4], seed);
  }

  static List<Code> codes(CpuRow row, AttentionLayout layout) {
    return List.of(
        AttentionCode.code(row, layout),
        AttentionStates.fold(row, layout),
        AttentionStates.finish(row, layout),
        AttentionStates.append(row, layout));
  }
}

package dev.quern.provider.vector;

import static dev.quern.provider.vector.Operands.gaussian;
import static dev.quern.provider.vector.Operands.workspace;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.vector.attention.Attention;
import dev.quern.provider.vector.direct.BlockLinear;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Rule P14 on shapes of many tiles and tasks, where a vector that is boxed once a tile, or an
/// object that is made once a task, would show.
class AllocationTest {
  private static final int WIDTH = 1024;
  private static final int OUTPUTS = 100;

  /// A kernel that still allocates after this time of its thread's is taken to allocate. C2
  /// compiles in the background, and where cores are scarce gets as little of them as this thread
  /// does: a clock on the wall would run out before it has begun.
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  static Iterable<BlockFormat> formats() {
    return BlockFormat.standard();
  }

  @ParameterizedTest
  @MethodSource("formats")
  void linear(BlockFormat format) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(1);
      WeightMatrix w = TestWeights.random(format, OUTPUTS, WIDTH, random, arena);
      LinearSpec spec = new LinearSpec(format, OUTPUTS, WIDTH, false, Set.of(Numerics.EXACT_F32));
      BlockLinear kernel =
          new BlockLinear(
              spec,
              LinearTable.of(format).orElseThrow().direct(),
              List.of(w),
              Workers.sequential());
      for (int rows : new int[] {1, 13}) {
        F32Matrix x = gaussian(arena, rows, WIDTH, random);
        F32Matrix y = F32Matrix.allocate(arena, rows, OUTPUTS);
        Workspace workspace = workspace(arena, kernel.scratchBytes(rows, 1));
        assertAllocatesLittle(
            String.format(Locale.ROOT, "%s, %d rows", format, rows),
            () -> kernel.apply(x, y, workspace));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 0, 0", "30, 0, 0", "1, 70, 50", "30, 70, 50"})
  void attention(int rows, int window, float cap) {
    try (Arena arena = Arena.ofConfined()) {
      for (KvFormat format : List.of(KvFormat.F32, KvFormat.F16)) {
        AttentionSpec spec =
            new AttentionSpec(8, 2, 64, 300, 0.125f, format).withWindow(window).withSoftCap(cap);
        Attention kernel = new Attention(spec);
        F32Matrix q = gaussian(arena, rows, 8 * 64, new Random(1));
        F32Matrix k = gaussian(arena, 300, 2 * 64, new Random(2));
        F32Matrix y = F32Matrix.allocate(arena, rows, 8 * 64);
        long bytes = KvCache.planeBytes(format, 2, 64, 300);
        KvCache cache =
            new KvCache(arena.allocate(bytes, 64), arena.allocate(bytes, 64), format, 300);
        Workspace workspace = workspace(arena, kernel.scratchBytes(300, 1));
        kernel.append(k, k, cache, 0, workspace);
        assertAllocatesLittle(
            String.format(Locale.ROOT, "%s, %d rows", spec, rows),
            () -> kernel.apply(q, cache, 200, y, workspace));
      }
    }
  }

  private static void assertAllocatesLittle(String what, Runnable call) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long start = threads.getCurrentThreadCpuTime();
    long least = Long.MAX_VALUE;
    do {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 10; i++) {
        call.run();
      }
      least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - before) / 10);
    } while (least > 512 && threads.getCurrentThreadCpuTime() - start < PATIENCE.toNanos());
    assertTrue(least <= 512, what + " allocates " + least + " bytes a call, expected <= 512");
  }
}

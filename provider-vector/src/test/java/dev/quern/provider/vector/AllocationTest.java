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
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.testing.ChildJvm;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Rule P14 on shapes of many tiles and tasks, where a vector that is boxed once a tile, or an
/// object that is made once a task, would show. What C2 makes of a kernel depends on all that its
/// JVM has run, so one that allocates here is judged by a JVM that runs nothing else, as the
/// suite's check does.
class AllocationTest {
  private static final int WIDTH = 1024;
  private static final int OUTPUTS = 100;
  private static final int LIMIT_BYTES = 512;

  /// A kernel that still allocates after this time of its thread's is taken to allocate. C2
  /// compiles in the background, and where cores are scarce gets as little of them as this thread
  /// does: a clock on the wall would run out before it has begun.
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @ParameterizedTest
  @MethodSource("formats")
  void linear(BlockFormat format) throws Exception {
    for (int rows : new int[] {1, 13}) {
      assertAllocatesLittle("linear", format.id(), String.valueOf(rows));
    }
  }

  static Iterable<BlockFormat> formats() {
    return BlockFormat.standard();
  }

  @ParameterizedTest
  @CsvSource({"1, 0, 0", "30, 0, 0", "1, 70, 50", "30, 70, 50"})
  void attention(String rows, String window, String cap) throws Exception {
    for (String kv : List.of("F32", "F16")) {
      assertAllocatesLittle("attention", kv, rows, window, cap);
    }
  }

  private static void assertAllocatesLittle(String... kernel) throws Exception {
    long here = bytes(kernel);
    if (here > LIMIT_BYTES) {
      List<String> java =
          List.of(
              "--add-modules=jdk.incubator.vector",
              "-XX:MaxVectorSize=" + Lanes.BYTES,
              "-cp",
              System.getProperty("java.class.path"),
              AllocationTest.class.getName());
      List<String> said = ChildJvm.run(Stream.concat(java.stream(), Stream.of(kernel)).toList());
      long alone = Long.parseLong(said.getLast());
      String what = String.join(" ", kernel);
      System.out.printf("[quern] %s: %d bytes a call, %d in its own JVM%n", what, here, alone);
      assertTrue(
          alone <= LIMIT_BYTES, () -> what + ": " + alone + " bytes a call, expected <= 512");
    }
  }

  /// Prints the bytes a call.
  public static void main(String[] kernel) {
    System.out.println(bytes(kernel));
  }

  private static long bytes(String... kernel) {
    try (Arena arena = Arena.ofConfined()) {
      int rows = Integer.parseInt(kernel[2]);
      if (kernel[0].equals("linear")) {
        return least(linear(BlockFormat.byId(kernel[1]).orElseThrow(), rows, arena));
      }
      KvFormat kv = kernel[1].equals("F16") ? KvFormat.F16 : KvFormat.F32;
      AttentionSpec spec =
          new AttentionSpec(8, 2, 64, 300, 0.125f, kv)
              .withWindow(Integer.parseInt(kernel[3]))
              .withSoftCap(Float.parseFloat(kernel[4]));
      return least(attention(spec, rows, arena));
    }
  }

  private static Runnable linear(BlockFormat format, int rows, Arena arena) {
    Random random = new Random(1);
    WeightMatrix w = TestWeights.random(format, OUTPUTS, WIDTH, random, arena);
    LinearSpec spec = new LinearSpec(format, OUTPUTS, WIDTH, false, Set.of(Numerics.EXACT_F32));
    BlockLinear kernel =
        new BlockLinear(
            spec, LinearTable.of(format).orElseThrow().direct(), List.of(w), Workers.sequential());
    F32Matrix x = gaussian(arena, rows, WIDTH, random);
    F32Matrix y = F32Matrix.allocate(arena, rows, OUTPUTS);
    Workspace workspace = workspace(arena, kernel.scratchBytes(rows, 1));
    return () -> kernel.apply(x, y, workspace);
  }

  private static Runnable attention(AttentionSpec spec, int rows, Arena arena) {
    Attention kernel = new Attention(spec);
    F32Matrix q = gaussian(arena, rows, 8 * 64, new Random(1));
    F32Matrix k = gaussian(arena, 300, 2 * 64, new Random(2));
    F32Matrix y = F32Matrix.allocate(arena, rows, 8 * 64);
    long plane = KvCache.planeBytes(spec.kv(), 2, 64, 300);
    KvCache cache =
        new KvCache(arena.allocate(plane, 64), arena.allocate(plane, 64), spec.kv(), 300);
    Workspace workspace = workspace(arena, kernel.scratchBytes(300, 1));
    kernel.append(k, k, cache, 0, workspace);
    return () -> kernel.apply(q, cache, 200, y, workspace);
  }

  private static long least(Runnable call) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long start = threads.getCurrentThreadCpuTime();
    long least = Long.MAX_VALUE;
    do {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 10; i++) {
        call.run();
      }
      least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - before) / 10);
    } while (least > LIMIT_BYTES && threads.getCurrentThreadCpuTime() - start < PATIENCE.toNanos());
    return least;
  }
}

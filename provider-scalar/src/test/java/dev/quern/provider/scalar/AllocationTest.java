package dev.quern.provider.scalar;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Rule P14: at most 512 bytes of heap a call, whatever its shape.
class AllocationTest {
  private static final int WIDTH = 512;

  /// Calls of a measurement.
  private static final int CALLS = 5;

  @ParameterizedTest
  @ValueSource(ints = {1, 7})
  void linear(int rows) {
    try (Arena arena = Arena.ofConfined()) {
      Random random = new Random(1);
      F32Matrix x = Buffers.gaussian(arena, rows, WIDTH, 0, random);
      F32Matrix y = Buffers.marked(arena, rows, 15, 0);
      for (BlockFormat format : BlockFormat.standard()) {
        for (Numerics numerics : Numerics.standard()) {
          boolean fits =
              IntegerFormat.of(format).map(f -> f.activations().equals(numerics)).orElse(false);
          if (Set.of(Numerics.EXACT_F32, Numerics.BF16).contains(numerics) || fits) {
            List<WeightMatrix> stacked =
                List.of(
                    TestWeights.random(format, 10, WIDTH, random, arena),
                    TestWeights.random(format, 5, WIDTH, random, arena));
            LinearSpec spec = new LinearSpec(format, 15, WIDTH, true, Set.of(numerics));
            LinearKernel kernel = Kernels.linear(spec, stacked);
            Workspace w = Buffers.workspace(arena, kernel, rows, Workers.sequential());
            assertAllocatesLittle(spec.toString(), () -> kernel.apply(x, y, w));
          }
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7})
  void attention(int rows) {
    try (Arena arena = Arena.ofConfined()) {
      for (KvFormat format : new KvFormat[] {KvFormat.F32, KvFormat.F16}) {
        AttentionSpec spec =
            new AttentionSpec(8, 2, 64, 64, 0.125f, format).withWindow(40).withSoftCap(50);
        AttentionKernel kernel =
            Kernels.accepted(new ScalarProvider().attention(spec), Numerics.EXACT_F32);
        F32Matrix q = Buffers.gaussian(arena, rows, 512, 0, new Random(1));
        F32Matrix k = Buffers.gaussian(arena, rows, 128, 0, new Random(2));
        F32Matrix y = Buffers.marked(arena, rows, 512, 0);
        long bytes = KvCache.planeBytes(format, 2, 64, 64);
        KvCache cache =
            new KvCache(arena.allocate(bytes, 64), arena.allocate(bytes, 64), format, 64);
        Workspace w = Buffers.workspace(arena, kernel, rows, Workers.sequential());
        assertAllocatesLittle("append " + spec, () -> kernel.append(k, k, cache, 20, w));
        assertAllocatesLittle("apply " + spec, () -> kernel.apply(q, cache, 20, y, w));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7})
  void rowOperators(int rows) {
    try (Arena arena = Arena.ofConfined()) {
      ScalarProvider provider = new ScalarProvider();
      F32Matrix x = Buffers.gaussian(arena, rows, WIDTH, 0, new Random(1));
      F32Matrix weight = Buffers.gaussian(arena, 1, WIDTH, 0, new Random(2));
      F32Matrix table = Buffers.filled(arena, rows, 64, 0, () -> 0.7);
      F32Matrix y = Buffers.marked(arena, rows, WIDTH, 0);

      RmsNormKernel norm =
          Kernels.accepted(provider.rmsNorm(RmsNormSpec.of(WIDTH, 1e-5f)), Numerics.EXACT_F32);
      RopeKernel rope =
          Kernels.accepted(
              provider.rope(new RopeSpec(8, 64, RopePairing.HALF_SPLIT)), Numerics.EXACT_F32);
      SwiGluKernel swiGlu =
          Kernels.accepted(provider.swiGlu(SwiGluSpec.of(WIDTH)), Numerics.EXACT_F32);
      Workspace w = Buffers.workspace(arena, norm, rows, Workers.sequential());
      assertAllocatesLittle("rmsnorm", () -> norm.apply(x, weight, y, w));
      assertAllocatesLittle("rope", () -> rope.apply(x, table, 0, w));
      assertAllocatesLittle("swiglu", () -> swiGlu.apply(x, x, y, w));
    }
  }

  /// The smallest of several measurements: linkage and compilation allocate at first.
  private static void assertAllocatesLittle(String what, Runnable call) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 3; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < CALLS; i++) {
        call.run();
      }
      least = Math.min(least, (threads.getCurrentThreadAllocatedBytes() - before) / CALLS);
    }
    long bytes = least;
    assertTrue(bytes <= 512, () -> what + " allocates " + bytes + " bytes a call, expected <= 512");
  }
}

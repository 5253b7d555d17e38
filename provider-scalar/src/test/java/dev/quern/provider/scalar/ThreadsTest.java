package dev.quern.provider.scalar;

import static dev.quern.provider.scalar.Buffers.assertSameBits;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.Task;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Real threads at work at the same time: no worker may touch another's scratch.
class ThreadsTest {
  private static final int CALLS = 20;

  @ParameterizedTest
  @CsvSource({"Q8_0, exact-f32", "Q8_0, int8-sym-32", "INT4_B32, int8-asym-row", "Q4_K, bf16"})
  void linear(String formatId, String numericsId) {
    try (Arena arena = Arena.ofShared()) {
      Random random = new Random(1);
      BlockFormat format = BlockFormat.byId(formatId).orElseThrow();
      Numerics numerics =
          Numerics.standard().stream().filter(n -> n.id().equals(numericsId)).findAny().get();
      WeightMatrix weights = TestWeights.random(format, 200, 512, random, arena);
      LinearSpec spec = new LinearSpec(format, 200, 512, false, Set.of(numerics));
      LinearKernel kernel = Kernels.linear(spec, List.of(weights));
      F32Matrix x = Buffers.gaussian(arena, 3, 512, 0, random);
      F32Matrix y = Buffers.marked(arena, 3, 200, 0);
      kernel.apply(x, y, Buffers.workspace(arena, kernel, 3, Workers.sequential()));
      float[][] expected = Buffers.rows(y);
      for (int call = 0; call < CALLS; call++) {
        y.data().fill((byte) 0xFF);
        kernel.apply(x, y, Buffers.workspace(arena, kernel, 3, new Threads(3)));
        assertSameBits(expected, Buffers.rows(y), spec + " call " + call);
      }
    }
  }

  @Test
  void attention() {
    try (Arena arena = Arena.ofShared()) {
      AttentionSpec spec = new AttentionSpec(8, 2, 16, 256, 0.25f, KvFormat.F32);
      AttentionKernel kernel =
          Kernels.accepted(new ScalarProvider().attention(spec), Numerics.EXACT_F32);
      Random random = new Random(1);
      F32Matrix kv = Buffers.gaussian(arena, 256, 32, 0, random);
      F32Matrix q = Buffers.gaussian(arena, 16, 128, 0, random);
      F32Matrix y = Buffers.marked(arena, 16, 128, 0);
      long bytes = KvCache.planeBytes(KvFormat.F32, 2, 16, 256);
      KvCache cache =
          new KvCache(arena.allocate(bytes, 64), arena.allocate(bytes, 64), KvFormat.F32, 256);
      kernel.append(kv, kv, cache, 0, Buffers.workspace(arena, kernel, 256, Workers.sequential()));
      kernel.apply(q, cache, 240, y, Buffers.workspace(arena, kernel, 16, Workers.sequential()));
      float[][] expected = Buffers.rows(y);
      for (int call = 0; call < CALLS; call++) {
        y.data().fill((byte) 0xFF);
        kernel.apply(q, cache, 240, y, Buffers.workspace(arena, kernel, 16, new Threads(3)));
        assertSameBits(expected, Buffers.rows(y), "call " + call);
      }
    }
  }

  /// New threads for each run, which begin together.
  private record Threads(int parallelism) implements Workers {
    @Override
    public void run(int tasks, Task body) {
      AtomicInteger next = new AtomicInteger();
      AtomicReference<Throwable> failure = new AtomicReference<>();
      CyclicBarrier start = new CyclicBarrier(parallelism);
      Thread[] threads = new Thread[parallelism];
      for (int worker = 0; worker < parallelism; worker++) {
        int number = worker;
        threads[worker] =
            Thread.ofPlatform()
                .start(() -> {
                  try {
                    start.await();
                    for (int t = next.getAndIncrement(); t < tasks; t = next.getAndIncrement()) {
                      body.run(t, number);
                    }
                  } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                  }
                });
      }
      try {
        for (Thread thread : threads) {
          thread.join();
        }
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted while kernels run", e);
      }
      if (failure.get() != null) {
        throw new AssertionError("a task failed", failure.get());
      }
    }
  }
}

package dev.quern.measure;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.quern.llama.LlamaModel;
import dev.quern.llama.Measurements;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// How fast a plain loop reads memory that lies as a model's weights do, in huge pages where these
/// do: the bound that decoding is compared with, since it reads every weight once a token. What
/// fits in the CPU's caches says nothing about memory.
public final class ReadBandwidth {
  /// More says the same, and a large model leaves no room for it.
  private static final long MOST_BYTES = 1L << 30;

  private static final long BLOCK_BYTES = 4 << 20; // claimed by a thread at once
  private static final int STEP_BYTES = 4 * Long.BYTES; // of the loop
  private static final int PASSES = 5;

  private ReadBandwidth() {}

  /// Bytes a second, by pass; one before these does not count.
  ///
  /// @param model whose memory it is like
  /// @param bytes of its weights: so many are read, or 1 GiB
  /// @param threads that read together
  public static Spread bytesPerSecond(LlamaModel model, long bytes, int threads) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment memory =
          Measurements.allocateAsWeights(model, Math.min(bytes, MOST_BYTES), arena);
      memory.fill((byte) 1); // a page that nobody has written to is no memory
      long sum = pass(memory, threads);
      double[] rates = new double[PASSES];
      for (int i = 0; i < PASSES; i++) {
        long start = System.nanoTime();
        if (pass(memory, threads) != sum) { // uses the result, so that reading it is work
          throw new IllegalStateException("two passes over the same memory differ");
        }
        rates[i] = memory.byteSize() / ((System.nanoTime() - start) / 1e9);
      }
      return new Spread(rates);
    }
  }

  private static long pass(MemorySegment memory, int threads) {
    AtomicInteger next = new AtomicInteger();
    LongAdder sum = new LongAdder();
    long bytes = memory.byteSize() / STEP_BYTES * STEP_BYTES; // up to 31 bytes are left out
    int blocks = Math.toIntExact(Math.ceilDiv(bytes, BLOCK_BYTES));
    Runnable reader =
        () -> {
          for (int block; (block = next.getAndIncrement()) < blocks; ) {
            long from = block * BLOCK_BYTES;
            sum.add(sum(memory.asSlice(from, Math.min(BLOCK_BYTES, bytes - from))));
          }
        };
    List<Thread> helpers = new ArrayList<>();
    for (int i = 1; i < threads; i++) {
      helpers.add(Thread.ofPlatform().daemon().name("read-" + i).start(reader));
    }
    reader.run();
    for (Thread helper : helpers) {
      join(helper);
    }
    return sum.sum();
  }

  private static void join(Thread thread) {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + thread.getName() + " was reading", e);
    }
  }

  /// Four sums, so that additions don't wait for each other.
  private static long sum(MemorySegment block) {
    int longs = (int) (block.byteSize() / Long.BYTES);
    long a = 0;
    long b = 0;
    long c = 0;
    long d = 0;
    for (int i = 0; i < longs; i += 4) {
      a += block.getAtIndex(JAVA_LONG, i);
      b += block.getAtIndex(JAVA_LONG, i + 1);
      c += block.getAtIndex(JAVA_LONG, i + 2);
      d += block.getAtIndex(JAVA_LONG, i + 3);
    }
    return a + b + c + d;
  }
}

package dev.quern.cli.bench;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/// How fast a plain loop reads the mapping of a model's files: the bound that decoding is compared
/// with, since it reads every weight once a token. A file that fits in the CPU's caches says
/// nothing about memory.
public final class ReadBandwidth {
  private static final long BLOCK_BYTES = 4 << 20; // claimed by a thread at once
  private static final int STEP_BYTES = 4 * Long.BYTES; // of the loop
  private static final int PASSES = 5;

  private ReadBandwidth() {}

  /// Bytes a second of reading whole files one after the other, by pass; a pass before these faults
  /// the pages in.
  ///
  /// @param files a model's weights: a GGUF file, its shards, or those of a folder
  /// @param threads that read together
  public static Spread bytesPerSecond(List<Path> files, int threads) throws IOException {
    try (Arena arena = Arena.ofShared()) {
      List<MemorySegment> mappings = new ArrayList<>();
      for (Path file : files) {
        mappings.add(map(file, arena));
      }
      long bytes = mappings.stream().mapToLong(MemorySegment::byteSize).sum();
      long sum = pass(mappings, threads);
      double[] rates = new double[PASSES];
      for (int i = 0; i < PASSES; i++) {
        long start = System.nanoTime();
        if (pass(mappings, threads) != sum) { // uses the result, so that reading it is work
          throw new IllegalStateException(
              String.format(
                  Locale.ROOT,
                  "%s: their bytes changed while they were read, expected files at rest",
                  files));
        }
        rates[i] = bytes / ((System.nanoTime() - start) / 1e9);
      }
      return new Spread(rates);
    }
  }

  private static MemorySegment map(Path file, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    }
  }

  private static long pass(List<MemorySegment> mappings, int threads) {
    return mappings.stream().mapToLong(mapping -> pass(mapping, threads)).sum();
  }

  private static long pass(MemorySegment mapping, int threads) {
    AtomicInteger next = new AtomicInteger();
    LongAdder sum = new LongAdder();
    long bytes = mapping.byteSize() / STEP_BYTES * STEP_BYTES; // up to 31 bytes are left out
    int blocks = Math.toIntExact(Math.ceilDiv(bytes, BLOCK_BYTES));
    Runnable reader =
        () -> {
          for (int block; (block = next.getAndIncrement()) < blocks; ) {
            long from = block * BLOCK_BYTES;
            sum.add(sum(mapping.asSlice(from, Math.min(BLOCK_BYTES, bytes - from))));
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

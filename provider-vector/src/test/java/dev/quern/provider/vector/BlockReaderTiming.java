package dev.quern.provider.vector;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.provider.vector.direct.BlockReader;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.testing.TestWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/// Weights per second of CPU time of one thread, for each format: multiplied by one row of x
/// ([BlockReader.Dot]), and decoded ([BlockReader.Decoder]). A program and not a test, since times
/// are no assertions.
///
/// Arguments: megabytes of weights (more than the caches hold), rounds, formats (all where none is
/// named; formats that ran before change what C2 makes of the next one). From the root, after a
/// build:
///
/// ```
/// java --add-modules jdk.incubator.vector -cp api/target/classes:api/target/test-classes:\
/// provider-vector/target/classes:provider-vector/target/test-classes \
/// dev.quern.provider.vector.BlockReaderTiming 300 7
/// ```
final class BlockReaderTiming {
  private static final int INPUTS = 2048;

  /// Rows of random weights, which are repeated to fill the memory.
  private static final int DISTINCT = 64;

  private BlockReaderTiming() {}

  public static void main(String[] args) {
    long bytes = (args.length > 0 ? Long.parseLong(args[0]) : 600) << 20;
    int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 15;
    List<String> names =
        args.length > 2
            ? List.of(args).subList(2, args.length)
            : BlockFormat.standard().stream().map(BlockFormat::id).toList();
    System.out.printf(Locale.ROOT, "%d lanes; G weights/s: median (best)%n", Lanes.L);
    for (String name : names) {
      try (Arena arena = Arena.ofShared()) {
        WeightMatrix w = weights(BlockFormat.byId(name).orElseThrow(), bytes, arena);
        BlockReader format = LinearTable.of(w.format()).orElseThrow().direct();
        MemorySegment x = gaussian(arena);
        MemorySegment scratch = arena.allocate(1 << 20, 64);
        String dot = measure(rounds, w, () -> dot(format, w, x, scratch));
        String decode = measure(rounds, w, () -> decode(format, w, scratch));
        System.out.printf(Locale.ROOT, "%-10s dot %s   decode %s%n", name, dot, decode);
      }
    }
  }

  private static void dot(
      BlockReader format, WeightMatrix w, MemorySegment x, MemorySegment scratch) {
    int half = w.outputs() / 2; // so far apart are the rows of a dot in BlockLinear too
    for (int row = 0; row < half; row++) {
      format.dot().dot(w, row, row + half, x, 0, scratch, 0);
    }
  }

  private static void decode(BlockReader format, WeightMatrix w, MemorySegment scratch) {
    for (int row = 0; row < w.outputs(); row++) {
      long to = BlockReader.DECODER_BYTES + 4L * INPUTS * (row % 24);
      format.decoder().decode(w, row, 0, INPUTS, scratch, to, 0);
    }
  }

  private static String measure(int rounds, WeightMatrix w, Runnable work) {
    double[] rates = new double[rounds];
    for (int i = -rounds / 2; i < rounds; i++) { // the first are warm-up
      long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
      work.run();
      long nanos = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start;
      rates[Math.max(0, i)] = (double) w.outputs() * w.inputs() / nanos;
    }
    Arrays.sort(rates);
    return String.format(Locale.ROOT, "%5.2f (%5.2f)", rates[rounds / 2], rates[rounds - 1]);
  }

  private static WeightMatrix weights(BlockFormat format, long bytes, Arena arena) {
    WeightMatrix few = TestWeights.random(format, DISTINCT, INPUTS, new Random(1), arena);
    int copies = Math.toIntExact(Math.ceilDiv(bytes, few.data().byteSize()));
    return new WeightMatrix(
        format,
        repeat(few.data(), copies, arena),
        repeat(few.scales(), copies, arena),
        DISTINCT * copies,
        INPUTS);
  }

  private static MemorySegment repeat(MemorySegment once, int copies, Arena arena) {
    long size = once.byteSize();
    MemorySegment all = arena.allocate(size * copies, 64);
    for (int i = 0; i < copies; i++) {
      MemorySegment.copy(once, 0, all, size * i, size);
    }
    return all;
  }

  private static MemorySegment gaussian(Arena arena) {
    Random random = new Random(2);
    MemorySegment x = arena.allocate(4L * INPUTS, 64);
    for (int i = 0; i < INPUTS; i++) {
      x.setAtIndex(JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    return x;
  }
}

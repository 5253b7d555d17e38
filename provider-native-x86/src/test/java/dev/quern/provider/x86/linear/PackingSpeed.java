package dev.quern.provider.x86.linear;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.exact.ExactLinears;
import dev.quern.provider.x86.linear.int8.Int8Linears;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.spi.Offer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// How fast one thread packs a matrix of 32768 x 2048: the first one of a format, when nothing is
/// warm and the panels' memory is new, and others into the same memory. A program and not a test,
/// since times are no assertions.
///
/// Arguments: rounds, CPU row, formats, those of floats for F32 products. From the root, after a
/// build:
///
/// ```
/// java --enable-native-access=ALL-UNNAMED -cp api/target/classes:\
/// provider-native-x86/target/classes:provider-native-x86/target/test-classes \
/// dev.quern.provider.x86.linear.PackingSpeed 9 avx512-vnni Q4_0
/// ```
///
/// Prints, for each format, 10^9 bytes of the file's weights a second: of the first, the median and
/// the best of the rounds.
final class PackingSpeed {
  private static final int OUTPUTS = 32768;
  private static final int INPUTS = 2048;

  private PackingSpeed() {}

  public static void main(String[] args) {
    int rounds = Integer.parseInt(args[0]);
    CpuRow row =
        CpuRow.table().stream().filter(r -> r.name().equals(args[1])).findFirst().orElseThrow();
    for (String format : Arrays.asList(args).subList(2, args.length)) {
      measure(row, BlockFormat.byId(format).orElseThrow(), rounds);
    }
  }

  private static void measure(CpuRow row, BlockFormat format, int rounds) {
    try (Arena arena = Arena.ofShared()) {
      LinearSpec spec =
          new LinearSpec(format, OUTPUTS, INPUTS, false, Set.copyOf(Numerics.standard()));
      boolean blocks = PanelFormat.of(format).isPresent();
      Offer<LinearPacker> offer =
          blocks ? new Int8Linears(row).offer(spec) : new ExactLinears(row).offer(spec);
      LinearPacker packer = ((Offer.Accepted<LinearPacker>) offer).kernel();
      WeightMatrix w = weights(format, arena);
      MemorySegment packed = arena.allocate(2L * OUTPUTS * format.rowBytes(INPUTS), 64);
      SegmentAllocator again = (bytes, alignment) -> packed.asSlice(0, bytes, alignment);
      double first = pack(packer, w, again);
      double[] seconds = new double[rounds];
      for (int i = 0; i < rounds; i++) {
        seconds[i] = pack(packer, w, again);
      }
      Arrays.sort(seconds);
      double bytes = w.data().byteSize() / 1e9;
      System.out.printf(
          Locale.ROOT,
          "%-12s %-6s first %6.2f GB/s, then %6.2f (%.2f)%n",
          row,
          format,
          bytes / first,
          bytes / seconds[rounds / 2],
          bytes / seconds[0]);
    }
  }

  private static double pack(LinearPacker packer, WeightMatrix w, SegmentAllocator to) {
    long start = System.nanoTime();
    packer.pack(List.of(w), to, Workers.sequential());
    return (System.nanoTime() - start) / 1e9;
  }

  /// Any bits, by a few calls of Java, which leave it cold.
  private static WeightMatrix weights(BlockFormat format, Arena arena) {
    MemorySegment data = arena.allocate(OUTPUTS * format.rowBytes(INPUTS)).fill((byte) 0x35);
    MemorySegment scales =
        arena.allocate(format.scalePlane().bytes(OUTPUTS, format.blocksPerRow(INPUTS)));
    return new WeightMatrix(format, data, scales, OUTPUTS, INPUTS);
  }
}

package dev.quern.provider.x86.linear;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.llama.WorkerPool;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.bf16.Bf16Linears;
import dev.quern.provider.x86.linear.exact.ExactLinears;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import dev.quern.provider.x86.linear.int8.Int8Linears;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.spi.Offer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/// How fast linears of 2048 x 2048 are: products of rows by weights that come from memory, since
/// there are more of them than caches hold. A program and not a test, since times are no
/// assertions.
///
/// Arguments: megabytes of packed weights, rounds, CPU rows, formats and arithmetics (all where
/// none is named): int8, f32, bf16. From the root, after a build; with huge pages as a model's
/// memory has them:
///
/// ```
/// GLIBC_TUNABLES=glibc.malloc.hugetlb=1 java --enable-native-access=ALL-UNNAMED \
/// -cp api/target/classes:llama-model/target/classes:\
/// provider-native-x86/target/classes:provider-native-x86/target/test-classes \
/// dev.quern.provider.x86.linear.LinearSpeed 256 7 avx512-vnni Q4_0 int8
/// ```
///
/// Prints, for each number of threads and of rows, the median and the best of the rounds: 10^9
/// multiplications a second, and 10^9 bytes of packed weights a second; and for one thread the
/// multiplications' share of what the unit does from registers ([UnitPeak]), measured just before.
final class LinearSpeed {
  private static final int SIZE = 2048;
  private static final List<String> ARITHMETICS = List.of("int8", "f32", "bf16");
  private static final int[] THREADS = {1, 2};
  private static final int[] ROWS = {1, 2, 4, 8, 16, 64, 512};

  /// A round goes through all weights, as often as gives so many multiplications.
  private static final double ROUND = 4e9;

  private LinearSpeed() {}

  public static void main(String[] args) throws Exception {
    long bytes = (args.length > 0 ? Long.parseLong(args[0]) : 256) << 20;
    int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 7;
    Set<String> named =
        new TreeSet<>(Arrays.asList(args).subList(Math.min(2, args.length), args.length));
    List<CpuRow> rows =
        Stream.concat(Stream.of(CpuRow.AVX512_BF16), CpuRow.table().stream()).toList();
    List<String> formats = WeightPanels.formats().stream().map(BlockFormat::id).toList();
    for (CpuRow row : rows) {
      String refusal = Host.refusal(row);
      if (!refusal.isEmpty()) {
        System.out.println("left out: " + row + ": " + refusal);
      } else if (isNamed(named, row.name(), rows.stream().map(CpuRow::name).toList())) {
        for (String arithmetic : ARITHMETICS) {
          if (isNamed(named, arithmetic, ARITHMETICS)) {
            for (BlockFormat format : WeightPanels.formats()) {
              if (isNamed(named, format.id(), formats)) {
                measure(row, arithmetic, format, bytes, rounds);
              }
            }
          }
        }
      }
    }
  }

  /// What a row of the table offers; declined where it has no such arithmetic.
  private static Offer<LinearPacker> offer(CpuRow row, String arithmetic, BlockFormat format) {
    Numerics numerics =
        switch (arithmetic) {
          case "f32" -> Numerics.EXACT_F32;
          case "bf16" -> Numerics.BF16;
          default -> PanelFormat.of(format).map(PanelFormat::numerics).orElse(Numerics.INT8_SYM_32);
        };
    LinearSpec spec = new LinearSpec(format, SIZE, SIZE, false, Set.of(numerics));
    return switch (arithmetic) {
      case "f32" -> new ExactLinears(row).offer(spec);
      case "bf16" ->
          row.needs().containsAll(CpuRow.AVX512_BF16.needs())
              ? new Bf16Linears(row).offer(spec)
              : Offer.declined("no BF16 products");
      default -> new Int8Linears(row).offer(spec);
    };
  }

  /// Whether it, or none of its kind, is named.
  private static boolean isNamed(Set<String> named, String name, List<String> all) {
    return named.contains(name) || all.stream().noneMatch(named::contains);
  }

  private static void measure(
      CpuRow row, String arithmetic, BlockFormat format, long bytes, int rounds)
      throws RefusedException {
    try (Arena arena = Arena.ofShared()) {
      int most = ROWS[ROWS.length - 1];
      LinearData data = LinearData.random(arena, format, most, SIZE, SIZE, 17);
      if (!(offer(row, arithmetic, format) instanceof Offer.Accepted<LinearPacker> accepted)) {
        return;
      }
      long one = SIZE * format.rowBytes(SIZE);
      List<LinearKernel> kernels = new ArrayList<>();
      try (WorkerPool pool = new WorkerPool(2)) {
        while (kernels.isEmpty() || kernels.size() * one < bytes) {
          kernels.add(accepted.kernel().pack(List.of(data.w()), arena, pool));
        }
      }
      F32Matrix y = F32Matrix.allocate(arena, most, SIZE);
      double peak = UnitPeak.of(row, arithmetic).orElseThrow().measure();
      System.out.printf(
          Locale.ROOT, "%-12s %-4s from registers %.1f GMAC/s%n", row, arithmetic, peak);
      for (int threads : THREADS) {
        try (WorkerPool pool = new WorkerPool(threads)) {
          MemorySegment scratch =
              arena.allocate(kernels.getFirst().scratchBytes(most, threads), 64);
          Workspace workspace = new Workspace(scratch, pool);
          for (int rows : ROWS) {
            F32Matrix x = data.x().firstRows(rows);
            F32Matrix to = y.firstRows(rows);
            double products = (double) SIZE * SIZE * rows * kernels.size();
            int repeats = (int) Math.max(1, ROUND * threads / products);
            double[] seconds = new double[rounds];
            for (int i = -1; i < rounds; i++) {
              long start = System.nanoTime();
              for (int k = 0; k < repeats; k++) {
                kernels.forEach(kernel -> kernel.apply(x, to, workspace));
              }
              if (i >= 0) {
                seconds[i] = (System.nanoTime() - start) / 1e9;
              }
            }
            Arrays.sort(seconds);
            double median = seconds[rounds / 2];
            System.out.printf(
                Locale.ROOT,
                "%-12s %-4s %-6s %d threads %4d rows %8.1f GMAC/s (%.1f) %6.1f GB/s (%.1f)%s%n",
                row,
                arithmetic,
                format,
                threads,
                rows,
                products * repeats / median / 1e9,
                products * repeats / seconds[0] / 1e9,
                (double) one * kernels.size() * repeats / median / 1e9,
                (double) one * kernels.size() * repeats / seconds[0] / 1e9,
                threads == 1
                    ? String.format(
                        Locale.ROOT, " %.2f of peak", products * repeats / median / 1e9 / peak)
                    : "");
          }
        }
      }
    }
  }
}

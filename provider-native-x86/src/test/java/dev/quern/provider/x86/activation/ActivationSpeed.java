package dev.quern.provider.x86.activation;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.Workspace;
import dev.quern.llama.WorkerPool;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.Kernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.x86.Host;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.spi.Offer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Consumer;

/// How fast the operators without a weight matrix are, in the shape of Llama-3.2-1B: 32 heads of
/// 64, 8 KV heads, 2048 columns, 8192 of the feed-forward. A program and not a test, since times
/// are no assertions. Arguments: rounds, CPU rows (all where none is named). From the root, after a
/// build:
///
/// ```
/// GLIBC_TUNABLES=glibc.malloc.hugetlb=1 java --enable-native-access=ALL-UNNAMED \
/// -cp api/target/classes:llama-model/target/classes:\
/// provider-native-x86/target/classes:provider-native-x86/target/test-classes \
/// dev.quern.provider.x86.activation.ActivationSpeed 7 avx512-vnni
/// ```
///
/// Prints, for one thread and two, the median and the best of the rounds: of attention to a long
/// F16 cache, of as many layers as no cache of a CPU holds, 10^9 bytes of it a second; of attention
/// of a prompt to itself 10^9 multiplications a second; of the others microseconds a call.
final class ActivationSpeed {
  private static final int HEADS = 32;
  private static final int KV_HEADS = 8;
  private static final int HEAD_DIM = 64;
  private static final int COLUMNS = 2048;
  private static final int FEED_FORWARD = 8192;
  private static final int LONG = 4096;
  private static final int LAYERS = 16;
  private static final int PROMPT = 512;

  private final Arena arena;
  private final CpuRow row;
  private final WorkerPool pool;
  private final int rounds;
  private final X86Activations all;

  private ActivationSpeed(Arena arena, CpuRow row, WorkerPool pool, int rounds) {
    this.arena = arena;
    this.row = row;
    this.pool = pool;
    this.rounds = rounds;
    all = new X86Activations(row);
  }

  public static void main(String[] args) throws Exception {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 7;
    List<String> named = Arrays.asList(args).subList(Math.min(1, args.length), args.length);
    for (CpuRow row : List.of(CpuRow.AVX512_VNNI, CpuRow.AVX2)) {
      String lacking = row.lacking(Host.features());
      if (!lacking.isEmpty()) {
        System.out.println("left out: " + lacking);
      } else if (named.isEmpty() || named.contains(row.name())) {
        for (int threads = 1; threads <= 2; threads++) {
          try (Arena arena = Arena.ofShared();
              WorkerPool pool = new WorkerPool(threads)) {
            new ActivationSpeed(arena, row, pool, rounds).measure();
          }
        }
      }
    }
  }

  private void measure() {
    longContext();
    prompt();
    for (int rows : new int[] {1, PROMPT}) {
      others(rows);
    }
  }

  private void longContext() {
    AttentionSpec spec = spec(LONG);
    AttentionKernel kernel = kernel(all.attention(spec));
    List<KvCache> layers = new ArrayList<>();
    for (int i = 0; i < LAYERS; i++) {
      layers.add(cache(spec));
    }
    F32Matrix q = matrix(1, COLUMNS);
    F32Matrix y = matrix(1, COLUMNS);
    double bytes = 2.0 * LAYERS * layers.getFirst().keys().byteSize();
    Consumer<Workspace> call = w -> layers.forEach(c -> kernel.apply(q, c, LONG - 1, y, w));
    report("attention to 4096 positions", "GB/s", bytes / 1e9, time(kernel, 1, 4, call));
  }

  private void prompt() {
    AttentionSpec spec = spec(PROMPT);
    AttentionKernel kernel = kernel(all.attention(spec));
    KvCache cache = cache(spec);
    F32Matrix q = matrix(PROMPT, COLUMNS);
    F32Matrix y = matrix(PROMPT, COLUMNS);
    double products = 2.0 * HEADS * HEAD_DIM * PROMPT * (PROMPT + 1) / 2;
    double[] seconds = time(kernel, PROMPT, 8, w -> kernel.apply(q, cache, 0, y, w));
    report("attention of 512 rows", "GMAC/s", products / 1e9, seconds);
  }

  private void others(int rows) {
    int calls = Math.max(1, 2048 / rows);
    F32Matrix x = matrix(rows, COLUMNS);
    F32Matrix weight = matrix(1, COLUMNS);
    var norm = kernel(all.rmsNorm(RmsNormSpec.of(COLUMNS, 1e-5f)));
    micros("RMSNorm", rows, time(norm, rows, calls, w -> norm.apply(x, weight, x, w)));
    for (RopePairing pairing : RopePairing.values()) {
      F32Matrix table = matrix(rows, HEAD_DIM);
      var rope = kernel(all.rope(new RopeSpec(HEADS, HEAD_DIM, pairing)));
      double[] seconds = time(rope, rows, calls, w -> rope.apply(x, table, 0, w));
      micros("RoPE " + pairing.name().toLowerCase(Locale.ROOT), rows, seconds);
    }
    F32Matrix gate = matrix(rows, FEED_FORWARD);
    F32Matrix up = matrix(rows, FEED_FORWARD);
    F32Matrix y = matrix(rows, FEED_FORWARD);
    var swiGlu = kernel(all.swiGlu(SwiGluSpec.of(FEED_FORWARD)));
    micros("SwiGLU", rows, time(swiGlu, rows, calls, w -> swiGlu.apply(gate, up, y, w)));
  }

  private static AttentionSpec spec(int positions) {
    return new AttentionSpec(HEADS, KV_HEADS, HEAD_DIM, positions, 0.125f, KvFormat.F16);
  }

  private KvCache cache(AttentionSpec spec) {
    long bytes = KvCache.planeBytes(KvFormat.F16, KV_HEADS, HEAD_DIM, spec.maxPositions());
    return new KvCache(halves(bytes), halves(bytes), KvFormat.F16, spec.maxPositions());
  }

  private MemorySegment halves(long bytes) {
    MemorySegment segment = arena.allocate(bytes, 64);
    Random random = new Random(1);
    for (long at = 0; at < bytes; at += Short.BYTES) {
      short value = Float.floatToFloat16((float) random.nextGaussian());
      segment.set(ValueLayout.JAVA_SHORT, at, value);
    }
    return segment;
  }

  private F32Matrix matrix(int rows, int columns) {
    F32Matrix m = F32Matrix.allocate(arena, rows, columns);
    Random random = new Random(2);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        m.set(r, c, (float) random.nextGaussian());
      }
    }
    return m;
  }

  private static <K> K kernel(Offer<K> offer) {
    return switch (offer) {
      case Offer.Accepted<K> a -> a.kernel();
      case Offer.Declined<K> d -> throw new IllegalStateException(d.reason());
    };
  }

  /// Seconds of a call in each round, shortest first.
  private double[] time(Kernel kernel, int rows, int calls, Consumer<Workspace> call) {
    MemorySegment scratch = arena.allocate(kernel.scratchBytes(rows, pool.parallelism()), 64);
    Workspace w = new Workspace(scratch, pool);
    double[] seconds = new double[rounds];
    for (int round = -1; round < rounds; round++) {
      long start = System.nanoTime();
      for (int i = 0; i < calls; i++) {
        call.accept(w);
      }
      if (round >= 0) {
        seconds[round] = (System.nanoTime() - start) / 1e9 / calls;
      }
    }
    Arrays.sort(seconds);
    return seconds;
  }

  private void micros(String what, int rows, double[] seconds) {
    print(what + ", rows " + rows, "us", 1e6 * seconds[seconds.length / 2], 1e6 * seconds[0]);
  }

  private void report(String what, String unit, double amount, double[] seconds) {
    print(what, unit, amount / seconds[seconds.length / 2], amount / seconds[0]);
  }

  private void print(String what, String unit, double median, double best) {
    System.out.printf(
        Locale.ROOT,
        "%-12s %d threads  %-30s %10.2f %s (%.2f)%n",
        row,
        pool.parallelism(),
        what,
        median,
        unit,
        best);
  }
}

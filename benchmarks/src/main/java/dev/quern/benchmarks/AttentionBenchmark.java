package dev.quern.benchmarks;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Attention of the last `rows` of `positions` tokens on one thread, with a 1B model's heads: 32,
/// on 8 KV heads, of 64 elements.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class AttentionBenchmark {
  private static final int HEADS = 32;
  private static final int KV_HEADS = 8;
  private static final int HEAD_DIM = 64;

  @Param("auto")
  public String provider = "auto";

  @Param({"1", "256"})
  public int rows = 1;

  @Param({"512", "4096"})
  public int positions = 512;

  @Param("F16")
  public String kv = "F16";

  private Operands operands;
  private AttentionKernel kernel;
  private KvCache cache;
  private F32Matrix q; // [rows, heads * headDim]
  private F32Matrix y; // [rows, heads * headDim]
  private Workspace workspace;
  private double macs; // of a call
  private double bytes; // of a call

  @Setup(Level.Trial)
  public void setUp() {
    KvFormat format = kv.equals("F32") ? KvFormat.F32 : KvFormat.F16;
    operands = new Operands(provider);
    kernel =
        operands
            .kernels()
            .attention(new AttentionSpec(HEADS, KV_HEADS, HEAD_DIM, positions, 0.125f, format));
    long plane = KvCache.planeBytes(format, KV_HEADS, HEAD_DIM, positions);
    cache =
        new KvCache(
            operands.arena().allocate(plane, 64),
            operands.arena().allocate(plane, 64),
            format,
            positions);
    q = operands.matrix(rows, HEADS * HEAD_DIM);
    y = F32Matrix.allocate(operands.arena(), rows, HEADS * HEAD_DIM);
    workspace = operands.workspace(kernel.scratchBytes(Math.max(rows, positions), 1));
    F32Matrix keys = operands.matrix(positions, KV_HEADS * HEAD_DIM);
    F32Matrix values = operands.matrix(positions, KV_HEADS * HEAD_DIM);
    kernel.append(keys, values, cache, 0, workspace);
    double pairs = 0; // a query and a position that it sees
    for (int r = 0; r < rows; r++) {
      pairs += positions - rows + r + 1;
    }
    macs = 2 * pairs * HEADS * HEAD_DIM;
    bytes = 2.0 * plane + 2.0 * rows * HEADS * HEAD_DIM * Float.BYTES;
  }

  @Benchmark
  public F32Matrix apply(Rates rates) {
    kernel.apply(q, cache, positions - rows, y, workspace);
    rates.add(macs, bytes);
    return y;
  }

  @TearDown(Level.Trial)
  public void tearDown() {
    operands.close();
  }
}

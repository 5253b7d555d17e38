package dev.quern.benchmarks;

import dev.quern.Kernels;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
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

/// The operators without weights on one thread, with a 1B model's shapes.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ElementwiseBenchmark {
  private static final int HEAD_DIM = 64;

  @Param("auto")
  public String provider = "auto";

  @Param({"1", "512"})
  public int rows = 1;

  /// Elements of a row of RMSNorm and RoPE; SwiGLU has four times as many.
  @Param("2048")
  public int width = 2048;

  private Operands operands;
  private RmsNormKernel norm;
  private RopeKernel rope;
  private SwiGluKernel swiGlu;
  private F32Matrix x; // [rows, width]
  private F32Matrix weight; // [1, width]
  private F32Matrix normed; // [rows, width]
  private F32Matrix table; // [rows, headDim]
  private F32Matrix gate; // [rows, 4 * width]
  private F32Matrix up; // [rows, 4 * width]
  private F32Matrix inner; // [rows, 4 * width]
  private Workspace workspace;

  @Setup(Level.Trial)
  public void setUp() {
    operands = new Operands(provider);
    Kernels kernels = operands.kernels();
    norm = kernels.rmsNorm(RmsNormSpec.of(width, 1e-5f));
    rope = kernels.rope(new RopeSpec(width / HEAD_DIM, HEAD_DIM, RopePairing.ADJACENT));
    swiGlu = kernels.swiGlu(SwiGluSpec.of(4 * width));
    x = operands.matrix(rows, width);
    weight = operands.matrix(1, width);
    normed = F32Matrix.allocate(operands.arena(), rows, width);
    table = rotations();
    gate = operands.matrix(rows, 4 * width);
    up = operands.matrix(rows, 4 * width);
    inner = F32Matrix.allocate(operands.arena(), rows, 4 * width);
    workspace =
        operands.workspace(
            Math.max(
                norm.scratchBytes(rows, 1),
                Math.max(rope.scratchBytes(rows, 1), swiGlu.scratchBytes(rows, 1))));
  }

  @Benchmark
  public F32Matrix rmsNorm(Rates rates) {
    norm.apply(x, weight, normed, workspace);
    rates.add(0, 2.0 * rows * width * Float.BYTES);
    return normed;
  }

  /// Rotates the same rows again and again: a rotation keeps their size.
  @Benchmark
  public F32Matrix rope(Rates rates) {
    rope.apply(x, table, 0, workspace);
    rates.add(0, 2.0 * rows * width * Float.BYTES);
    return x;
  }

  @Benchmark
  public F32Matrix swiGlu(Rates rates) {
    swiGlu.apply(gate, up, inner, workspace);
    rates.add(0, 3.0 * rows * 4 * width * Float.BYTES);
    return inner;
  }

  @TearDown(Level.Trial)
  public void tearDown() {
    operands.close();
  }

  private F32Matrix rotations() {
    F32Matrix angles = F32Matrix.allocate(operands.arena(), rows, HEAD_DIM);
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < HEAD_DIM / 2; i++) {
        angles.set(r, i, (float) Math.cos(r + i));
        angles.set(r, HEAD_DIM / 2 + i, (float) Math.sin(r + i));
      }
    }
    return angles;
  }
}

package dev.quern.benchmarks;

import dev.quern.Kernels;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
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

/// `y = x·Wᵀ` on one thread, over formats, rows (1 is decoding, 512 a long prompt) and the shapes
/// of a 1B model's matrices.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class LinearBenchmark {
  private static final long BEYOND_CACHES_BYTES = 256L << 20;

  @Param("auto")
  public String provider = "auto";

  @Param({"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q6_K"})
  public String format = "Q4_0";

  @Param({"1", "8", "512"})
  public int rows = 1;

  /// Outputs x inputs.
  @Param({"2048x2048", "8192x2048", "2048x8192"})
  public String shape = "2048x2048";

  /// `cache`: the same matrix each time. `memory`: matrices in turn that no cache holds together,
  /// as decoding meets them.
  @Param("cache")
  public String weightsIn = "cache";

  private Operands operands;
  private List<LinearKernel> kernels; // of equal shape, called in turn
  private F32Matrix x; // [rows, inputs]
  private F32Matrix y; // [rows, outputs]
  private Workspace workspace;
  private int next;
  private double macs; // of a call
  private double bytes; // of a call

  @Setup(Level.Trial)
  public void setUp() {
    BlockFormat blocks =
        BlockFormat.byId(format)
            .orElseThrow(() ->
                new IllegalArgumentException(
                    String.format(
                        Locale.ROOT,
                        "format=%s, expected one of %s",
                        format,
                        BlockFormat.standard())));
    String[] sides = shape.split("x");
    int outputs = Integer.parseInt(sides[0]);
    int inputs = Integer.parseInt(sides[1]);
    operands = new Operands(provider);
    WeightMatrix weights = operands.weights(blocks, outputs, inputs);
    Kernels chosen = operands.kernels();
    LinearSpec spec =
        new LinearSpec(blocks, outputs, inputs, false, Set.copyOf(Numerics.standard()));
    long matrixBytes = weights.data().byteSize();
    long copies =
        switch (weightsIn) {
          case "cache" -> 1;
          case "memory" -> Math.ceilDiv(BEYOND_CACHES_BYTES, matrixBytes);
          default ->
              throw new IllegalArgumentException(
                  String.format(Locale.ROOT, "weightsIn=%s, expected cache or memory", weightsIn));
        };
    kernels = new ArrayList<>();
    for (long i = 0; i < copies; i++) {
      // Own weights each: a kernel may read its source instead of packing it.
      WeightMatrix own = i == 0 ? weights : operands.weights(blocks, outputs, inputs);
      kernels.add(chosen.linear(spec).pack(List.of(own), operands.arena(), Operands.ONE_THREAD));
    }
    x = operands.matrix(rows, inputs);
    y = F32Matrix.allocate(operands.arena(), rows, outputs);
    workspace = operands.workspace(kernels.getFirst().scratchBytes(rows, 1));
    macs = (double) rows * outputs * inputs;
    bytes = matrixBytes + (double) rows * (outputs + inputs) * Float.BYTES;
  }

  @Benchmark
  public F32Matrix apply(Rates rates) {
    kernels.get(next).apply(x, y, workspace);
    next = next + 1 == kernels.size() ? 0 : next + 1;
    rates.add(macs, bytes);
    return y;
  }

  @TearDown(Level.Trial)
  public void tearDown() {
    operands.close();
  }
}

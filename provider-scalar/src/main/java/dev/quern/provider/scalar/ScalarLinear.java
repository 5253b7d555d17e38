package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// `y[r][o] = Σ_i x[r][i] * W[o][i] + b[o]` over weights that are read where they lie. Rows of x
/// are prepared first, then the workers split the outputs. Scratch:
///
/// ```
/// prepared rows of x [rows] | loaded row of W [parallelism]
/// ```
final class ScalarLinear implements LinearKernel {
  private final LinearSpec spec;
  private final LinearArithmetic arithmetic;

  /// The stacked matrices, by output rows.
  private final WeightMatrix[] stacked;

  /// `f32[outputs]`; NULL where the spec has none.
  private final MemorySegment bias;

  /// Bytes of a prepared row of x and of a loaded row of W.
  private final long activationBytes;

  private final long weightBytes;

  ScalarLinear(
      LinearSpec spec,
      LinearArithmetic arithmetic,
      List<WeightMatrix> stacked,
      MemorySegment bias) {
    this.spec = spec;
    this.arithmetic = arithmetic;
    this.stacked = stacked.toArray(WeightMatrix[]::new);
    this.bias = bias;
    this.activationBytes = Scratch.align(arithmetic.activationBytes());
    this.weightBytes = Scratch.align(arithmetic.weightBytes());
  }

  @Override
  public boolean retainsSource() {
    return true;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return rows * activationBytes + parallelism * weightBytes;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    MemorySegment scratch = w.scratch();
    Workers workers = w.workers();
    int rows = x.rows();
    int rowTasks = Split.tasks(rows, workers);
    workers.run(
        rowTasks,
        (task, worker) -> {
          long end = Split.begin(rows, task + 1, rowTasks);
          for (int r = (int) Split.begin(rows, task, rowTasks); r < end; r++) {
            arithmetic.prepare(x, r, scratch, r * activationBytes);
          }
        });

    int outputs = spec.outputs();
    int outputTasks = Split.tasks(outputs, workers);
    workers.run(
        outputTasks,
        (task, worker) -> {
          int begin = (int) Split.begin(outputs, task, outputTasks);
          int end = (int) Split.begin(outputs, task + 1, outputTasks);
          multiply(x, y, begin, end, scratch, rows * activationBytes + worker * weightBytes);
        });
  }

  /// Columns begin (inclusive) to end (exclusive) of y; `weights` is this worker's row of W.
  private void multiply(
      F32Matrix x, F32Matrix y, int begin, int end, MemorySegment scratch, long weights) {
    int rows = x.rows();
    int first = 0; // output of the matrix's first row
    for (WeightMatrix matrix : stacked) {
      int from = Math.max(begin, first);
      int to = Math.min(end, first + matrix.outputs());
      for (int o = from; o < to; o++) {
        float added = spec.bias() ? bias.getAtIndex(JAVA_FLOAT, o) : -0f; // -0f changes no sum
        arithmetic.load(matrix, o - first, scratch, weights);
        for (int r = 0; r < rows; r++) {
          float sum = arithmetic.dot(x, r, scratch, r * activationBytes, weights) + added;
          long at = y.offsetBytes(r, o);
          y.data()
              .set(JAVA_FLOAT, at, spec.accumulate() ? y.data().get(JAVA_FLOAT, at) + sum : sum);
        }
      }
      first += matrix.outputs();
    }
  }
}

package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import java.lang.foreign.MemorySegment;

/// `y[i] = x[i] / sqrt(mean(x²) + epsilon) * weight[i]` in each group of a row, in double
/// precision, rounded once. The square of a float can't overflow a double, so the mean is finite
/// unless an element is not.
record ScalarRmsNorm(RmsNormSpec spec) implements RmsNormKernel {
  @Override
  public long scratchBytes(int rows, int parallelism) {
    return 0;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
    int rows = x.rows();
    int tasks = Split.tasks(rows, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              long end = Split.begin(rows, task + 1, tasks);
              for (int r = (int) Split.begin(rows, task, tasks); r < end; r++) {
                for (int col = 0; col < spec.width(); col += spec.groupWidth()) {
                  normalise(x, weight.data(), y, r, col);
                }
              }
            });
  }

  /// The group of a row that begins at a column.
  private void normalise(F32Matrix x, MemorySegment weight, F32Matrix y, int row, int col) {
    int width = spec.groupWidth();
    MemorySegment from = x.data();
    MemorySegment to = y.data();
    long fromAt = x.offsetBytes(row, col);
    long toAt = y.offsetBytes(row, col);

    double sum = 0;
    for (int i = 0; i < width; i++) {
      double xi = from.get(JAVA_FLOAT, fromAt + 4L * i);
      sum += xi * xi;
    }
    // The reciprocal of an infinite mean would be 0, and the group's finite elements would be lost.
    double scale = Double.isFinite(sum) ? 1 / Math.sqrt(sum / width + spec.epsilon()) : Double.NaN;
    for (int i = 0; i < width; i++) {
      double xi = from.get(JAVA_FLOAT, fromAt + 4L * i);
      to.set(JAVA_FLOAT, toAt + 4L * i, (float) (xi * scale * weight.get(JAVA_FLOAT, 4L * i)));
    }
  }
}

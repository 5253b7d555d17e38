package dev.quern.conformance.mutants;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;

/// `y[i] = x[i] / sqrt(mean(x²) + epsilon) * weight[i]` in double precision, one task for each row.
record MutantRmsNorm(Fault fault, RmsNormSpec spec) implements RmsNormKernel {
  @Override
  public long scratchBytes(int rows, int parallelism) {
    return 0;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
    // In place, row 0 is gone when the others want it.
    double shared = fault == Fault.ROW_ZERO_MEAN ? scale(x, 0) : 0;
    w.workers()
        .run(
            x.rows(),
            (row, worker) -> {
              double scale = fault == Fault.ROW_ZERO_MEAN ? shared : scale(x, row);
              for (int i = 0; fault == Fault.NORM_NOT_IN_PLACE && i < spec.width(); i++) {
                y.set(row, i, 0);
              }
              for (int i = 0; i < spec.width(); i++) {
                double factor = fault == Fault.WEIGHT_IGNORED ? 1 : weight.get(0, i);
                y.set(row, i, (float) (x.get(row, i) * scale * factor));
              }
            });
  }

  private double scale(F32Matrix x, int row) {
    double sum = 0;
    boolean f32 = fault == Fault.NORM_ALONE_F32 && x.rows() == 1;
    for (int i = 0; i < spec.width(); i++) {
      sum += (double) x.get(row, i) * x.get(row, i);
      sum = f32 ? (float) sum : sum;
    }
    double mean = sum / (fault == Fault.MEAN_OVER_STRIDE ? x.rowStrideFloats() : spec.width());
    double epsilon = spec.epsilon();
    if (fault == Fault.HIDDEN_EPSILON && epsilon == 0) {
      epsilon = 1e-9;
    } else if (fault == Fault.EPSILON_IGNORED) {
      epsilon = 0;
    }
    if (fault == Fault.EPSILON_OUTSIDE) {
      return 1 / (Math.sqrt(mean) + epsilon);
    }
    // The reciprocal of an infinite mean would be 0, and the row's finite elements would be lost.
    boolean nan = !Double.isFinite(sum) && fault != Fault.INFINITE_ROW_ZERO;
    boolean zeros = sum == 0 && fault == Fault.ZEROS_GIVE_NAN;
    return nan || zeros ? Double.NaN : 1 / Math.sqrt(mean + epsilon);
  }
}

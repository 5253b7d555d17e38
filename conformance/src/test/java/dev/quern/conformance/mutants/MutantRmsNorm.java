package dev.quern.conformance.mutants;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;

/// `y[i] = x[i] / sqrt(mean(x²) + epsilon) * weight[i]` in each group of a row, in double
/// precision, one task for each row.
record MutantRmsNorm(Fault fault, RmsNormSpec spec) implements RmsNormKernel {
  @Override
  public long scratchBytes(int rows, int parallelism) {
    return 0;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
    // In place, row 0 is gone when the others want it.
    double shared = fault == Fault.ROW_ZERO_MEAN ? scale(x, 0, 0) : 0;
    w.workers()
        .run(
            x.rows(),
            (row, worker) -> {
              double first = Double.NaN;
              for (int g = 0; g < spec.groups(); g++) {
                double scale = fault == Fault.ROW_ZERO_MEAN ? shared : scale(x, row, g);
                first = g == 0 ? scale : first;
                boolean nan = fault == Fault.GROUP_NAN_SPREADS && Double.isNaN(first);
                normalise(x, weight, y, row, g, nan ? first : scale);
              }
            });
  }

  private void normalise(
      F32Matrix x, F32Matrix weight, F32Matrix y, int row, int group, double scale) {
    for (int i = 0; fault == Fault.NORM_NOT_IN_PLACE && i < spec.groupWidth(); i++) {
      y.set(row, column(group, i), 0);
    }
    for (int i = 0; i < spec.groupWidth(); i++) {
      int col = column(group, i);
      int at = fault == Fault.WEIGHT_STRETCHED ? col / spec.groups() : i;
      double factor = fault == Fault.WEIGHT_IGNORED ? 1 : weight.get(0, at);
      y.set(row, col, (float) (x.get(row, col) * scale * factor));
    }
  }

  private int column(int group, int i) {
    return fault == Fault.HEADS_INTERLEAVED
        ? group + i * spec.groups()
        : group * spec.groupWidth() + i;
  }

  private double scale(F32Matrix x, int row, int group) {
    boolean all = fault == Fault.ONE_MEAN_FOR_ALL_GROUPS;
    int n = all ? spec.width() : spec.groupWidth();
    double before = 0;
    for (int i = 0; fault == Fault.GROUP_SUMS_BY_DIFFERENCE && i < column(group, 0); i++) {
      before += (double) x.get(row, i) * x.get(row, i);
    }
    double sum = before;
    boolean f32 = fault == Fault.NORM_ALONE_F32 && x.rows() == 1;
    for (int i = 0; i < n; i++) {
      int col = all ? i : column(group, i);
      sum += (double) x.get(row, col) * x.get(row, col);
      sum = f32 ? (float) sum : sum;
    }
    sum -= before;
    double mean = sum / (fault == Fault.MEAN_OVER_STRIDE ? x.rowStrideFloats() : n);
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

package com.example.quern;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;

/// `y = x / sqrt(mean(x²) + epsilon) * weight`, in double precision, rounded once.
record ExampleRmsNorm(RmsNormSpec spec) implements RmsNormKernel {
  @Override
  public long scratchBytes(int rows, int parallelism) {
    return 0;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w) {
    w.workers().run(x.rows(), (row, worker) -> {
      double squares = 0;
      for (int i = 0; i < spec.width(); i++) {
        squares += (double) x.get(row, i) * x.get(row, i);
      }
      // An infinity would make the scale 0, and its row 0 but for one element: rule N2 wants NaN.
      double scale =
          Double.isFinite(squares)
              ? 1 / Math.sqrt(squares / spec.width() + spec.epsilon())
              : Double.NaN;
      for (int i = 0; i < spec.width(); i++) {
        y.set(row, i, (float) (x.get(row, i) * scale * weight.get(0, i)));
      }
    });
  }
}

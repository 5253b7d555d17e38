package com.example.quern;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/// `y = x·Wᵀ` over F32 weights, which are read where they lie: one task for each output.
record ExampleLinear(LinearSpec spec, List<WeightMatrix> stacked) implements LinearKernel {
  private static final ValueLayout.OfFloat WEIGHT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public boolean retainsSource() {
    return true;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return 0;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    int column = 0; // of y, where the matrix begins
    for (WeightMatrix matrix : stacked) {
      int first = column;
      w.workers().run(matrix.outputs(), (o, worker) -> {
        for (int row = 0; row < x.rows(); row++) {
          float before = spec.accumulate() ? y.get(row, first + o) : 0;
          y.set(row, first + o, before + dot(x, row, matrix, o));
        }
      });
      column += matrix.outputs();
    }
  }

  /// A non-finite element times 0 is NaN, and stays in the sum: rule L10.
  private float dot(F32Matrix x, int row, WeightMatrix matrix, int o) {
    long at = 4L * o * spec.inputs();
    float sum = 0;
    float nan = 0;
    for (int i = 0; i < spec.inputs(); i++) {
      sum += x.get(row, i) * matrix.data().get(WEIGHT, at + 4L * i);
      nan += x.get(row, i) * 0;
    }
    return sum + nan;
  }
}

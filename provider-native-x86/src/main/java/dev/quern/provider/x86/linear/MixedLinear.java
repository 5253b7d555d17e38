package dev.quern.provider.x86.linear;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;

/// Two kernels on the same panels, by the number of rows; one packed copy of the weights.
///
/// @param few for fewer rows than `from`
/// @param many for the others
record MixedLinear(LinearKernel few, LinearKernel many, int from) implements LinearKernel {
  @Override
  public boolean retainsSource() {
    return false;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    long ofFew = few.scratchBytes(Math.min(rows, from - 1), parallelism);
    return rows < from ? ofFew : Math.max(ofFew, many.scratchBytes(rows, parallelism));
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    (x.rows() < from ? few : many).apply(x, y, w);
  }
}

package dev.quern.provider.vector.packed;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;

/// Several rows of x times packed weights, in one of two arithmetics.
public sealed interface SeveralRows permits F32Rows, Int16Rows {
  /// Scratch as in [dev.quern.op.LinearKernel#scratchBytes].
  long scratchBytes(int rows, int parallelism);

  /// As in [dev.quern.op.LinearKernel#apply].
  void apply(F32Matrix x, F32Matrix y, Workspace w);
}

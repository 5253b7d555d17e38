package dev.quern.llama;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import java.util.List;

/// One or more weight matrices that read the same input, their outputs side by side: Q, K and V, or
/// gate and up. Neighbours of the same format are stacked into one kernel, so that the input is
/// read, and quantised, once.
///
/// @param parts kernels in the order of their outputs
/// @param outputs columns of y
record Projection(List<Part> parts, int outputs) {

  /// A kernel and the columns of y that it writes.
  record Part(LinearKernel kernel, int firstColumn, int columns) {}

  Projection {
    parts = List.copyOf(parts);
  }

  /// @param x `[rows, inputs]`
  /// @param y `[rows, outputs]`
  void apply(F32Matrix x, F32Matrix y, Workspace w) {
    for (Part part : parts) {
      F32Matrix columns =
          parts.size() == 1
              ? y
              : y.columns(part.firstColumn(), part.firstColumn() + part.columns());
      part.kernel().apply(x, columns, w);
    }
  }

  /// The scratch that the hungriest part needs.
  long scratchBytes(int rows, int parallelism) {
    return parts.stream()
        .mapToLong(p -> p.kernel().scratchBytes(rows, parallelism))
        .max()
        .orElse(0);
  }
}

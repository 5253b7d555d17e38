package dev.quern.llama.forward;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// One or more weight matrices that read the same input, their outputs side by side: Q, K and V, or
/// gate and up. Neighbours of the same format are stacked into one kernel, so that the input is
/// read, and quantized, once.
///
/// @param parts kernels in the order of their outputs
/// @param outputs columns of y
/// @param rotation what is done to the input first, in place
/// @param adaptors what is added to the parts' outputs
public record Projection(
    List<Part> parts, int outputs, Optional<Hadamard> rotation, List<LowRank> adaptors) {

  /// A kernel and the columns of y that it writes.
  public record Part(LinearKernel kernel, int firstColumn, int columns) {}

  public Projection {
    parts = List.copyOf(parts);
    adaptors = List.copyOf(adaptors);
  }

  /// @param x `[rows, inputs]`; overwritten where there is a rotation
  /// @param y `[rows, outputs]`
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    if (rotation.isPresent()) {
      rotation.get().apply(x, w.workers());
    }
    for (Part part : parts) {
      F32Matrix columns =
          parts.size() == 1
              ? y
              : y.columnRange(part.firstColumn(), part.firstColumn() + part.columns());
      part.kernel().apply(x, columns, w);
    }
    for (LowRank adaptor : adaptors) {
      adaptor.addTo(y, x, w);
    }
  }

  /// The scratch that the hungriest part needs.
  public long scratchBytes(int rows, int parallelism) {
    long bytes = 0;
    for (Part part : parts) {
      bytes = Math.max(bytes, part.kernel().scratchBytes(rows, parallelism));
    }
    for (LowRank adaptor : adaptors) {
      bytes = Math.max(bytes, adaptor.scratchBytes(rows, parallelism));
    }
    return bytes;
  }

  /// The same with every kernel wrapped.
  public Projection map(UnaryOperator<LinearKernel> wrap) {
    return new Projection(
        parts.stream()
            .map(p -> new Part(wrap.apply(p.kernel()), p.firstColumn(), p.columns()))
            .toList(),
        outputs,
        rotation,
        adaptors.stream().map(a -> a.map(wrap)).toList());
  }
}

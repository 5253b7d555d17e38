package dev.quern.llama.forward;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import java.util.function.UnaryOperator;

/// A low-rank adaptor of a linear layer (Hu et al. 2021, "LoRA"): `y += scale * B(A(x))`, with A
/// `[rank, inputs]` and B `[outputs, rank]`. It stays apart from its matrix, which is quantized:
/// added to it, it would be lost in the rounding.
///
/// @param a writes
/// @param b accumulates
/// @param firstColumn of the columns of y that B adds to
/// @param columns how many
public record LowRank(
    LinearKernel a, LinearKernel b, int rank, float scale, int firstColumn, int columns) {

  void addTo(F32Matrix y, F32Matrix x, Workspace w) {
    int rows = x.rows();
    F32Matrix inner = new F32Matrix(w.scratch(), rows, rank); // at the start of the scratch
    Workspace rest = new Workspace(w.scratch().asSlice(innerBytes(rows)), w.workers());
    a.apply(x, inner, rest);
    for (int r = 0; r < rows; r++) {
      for (int i = 0; i < rank; i++) {
        inner.set(r, i, scale * inner.get(r, i));
      }
    }
    b.apply(inner, y.columnRange(firstColumn, firstColumn + columns), rest);
  }

  long scratchBytes(int rows, int parallelism) {
    return innerBytes(rows)
        + Math.max(a.scratchBytes(rows, parallelism), b.scratchBytes(rows, parallelism));
  }

  LowRank map(UnaryOperator<LinearKernel> wrap) {
    return new LowRank(wrap.apply(a), wrap.apply(b), rank, scale, firstColumn, columns);
  }

  private long innerBytes(int rows) {
    long align = Workspace.SCRATCH_ALIGNMENT;
    return Math.ceilDiv((long) rows * rank * Float.BYTES, align) * align;
  }
}

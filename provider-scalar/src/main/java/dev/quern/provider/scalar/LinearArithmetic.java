package dev.quern.provider.scalar;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;

/// How one row of x meets one row of W. [ScalarLinear] has the loops around it.
///
/// A row of x is prepared once for all outputs, a row of W is loaded once for all rows of x; both
/// live in scratch memory, at offsets that are multiples of 64.
interface LinearArithmetic {
  /// Bytes of one prepared row of x.
  long activationBytes();

  /// Bytes of one loaded row of W.
  long weightBytes();

  /// Prepares a row of x at `to`.
  void prepare(F32Matrix x, int row, MemorySegment scratch, long to);

  /// Loads a row of W to `to`.
  void load(WeightMatrix w, int row, MemorySegment scratch, long to);

  /// `Σ_i x[row][i] * W[i]` of a prepared and a loaded row; NaN if x has a non-finite element in
  /// that row (rule L10).
  float dot(F32Matrix x, int row, MemorySegment scratch, long activations, long weights);
}

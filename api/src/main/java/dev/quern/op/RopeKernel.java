package dev.quern.op;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;

/// Rotates queries or keys by their positions.
///
/// @since 0.1
/// @stability contract
public interface RopeKernel extends Kernel {
  /// Rotates every pair (a, b) of every head of row r, in place: `a' = a*cos - b*sin`, `b' = a*sin
  /// + b*cos`, with the table's row `firstPosition + r`.
  ///
  /// @param x `[rows, heads * headDim]`
  /// @param table `[positions, headDim]`; a row holds headDim/2 cosines, then headDim/2 sines, of
  ///   the pairs in order; `firstPosition + rows <= positions`
  /// @param firstPosition the first row's position
  /// @param w scratch and threads
  void apply(F32Matrix x, F32Matrix table, int firstPosition, Workspace w);
}

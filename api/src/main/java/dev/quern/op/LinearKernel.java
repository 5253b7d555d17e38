package dev.quern.op;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;

/// Multiplies activations by packed weights.
///
/// @since 0.1
/// @stability contract
public interface LinearKernel extends Kernel {
  /// Whether the kernel goes on reading the matrices it was packed from. If not, the caller may
  /// release them as soon as `pack` has returned.
  boolean retainsSource();

  /// `y = x·Wᵀ`, or `y += x·Wᵀ` if the spec accumulates; plus the bias, if the spec has one.
  ///
  /// @param x `[rows, inputs]`
  /// @param y `[rows, outputs]`; shares no memory with x
  /// @param w scratch of at least `scratchBytes(rows, parallelism)`, and the threads to use
  void apply(F32Matrix x, F32Matrix y, Workspace w);
}

package dev.quern.op;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;

/// Gates activations.
///
/// @since 0.1
/// @stability contract
public interface SwiGluKernel extends Kernel {
  /// `y = activation(gate) * up`, element by element.
  ///
  /// @param gate `[rows, width]`
  /// @param up `[rows, width]`
  /// @param y `[rows, width]`; exactly gate, exactly up, or without any memory in common with them
  /// @param w scratch and threads
  void apply(F32Matrix gate, F32Matrix up, F32Matrix y, Workspace w);
}

package dev.quern.op;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;

/// Normalises rows, or groups of a row, by their root mean square.
///
/// @since 0.1
/// @stability contract
public interface RmsNormKernel extends Kernel {
  /// `y = x / sqrt(mean(x²) + epsilon) * weight`, row by row, or group by group.
  ///
  /// @param x `[rows, width]`
  /// @param weight `[1, width / groups]`, the same for each group
  /// @param y `[rows, width]`; either exactly x or without any memory in common with it
  /// @param w scratch and threads
  void apply(F32Matrix x, F32Matrix weight, F32Matrix y, Workspace w);
}

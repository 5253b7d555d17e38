package dev.quern.provider.x86.linear.floats;

import dev.quern.provider.x86.asm.Vec;

/// Emits what brings the weights of a panel's block to registers, as F32, one input after the other
/// in their order.
public interface WeightDecoder {
  /// What is done with weights: they stay in their registers until the next ones come.
  @FunctionalInterface
  interface Sink {
    /// @param input of the block
    /// @param slice the first one that is there; all slices of an input come, one by one or at once
    void weights(int input, int slice, Vec... weights);
  }

  /// Before the blocks of a panel.
  void begin();

  /// The block at PANEL, its head at HEAD.
  void block(Sink sink);

  /// Behind the code.
  void constants();
}

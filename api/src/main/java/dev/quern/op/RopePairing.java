package dev.quern.op;

/// Which elements of a head RoPE rotates together.
///
/// @since 0.1
/// @stability contract
public enum RopePairing {
  /// Elements (2i, 2i+1), as in the paper and in GGUF's `llama` architecture.
  ADJACENT,
  /// Elements (i, i + headDim/2), as in Hugging Face checkpoints.
  HALF_SPLIT
}

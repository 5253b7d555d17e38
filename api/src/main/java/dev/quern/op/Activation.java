package dev.quern.op;

/// What a gated unit makes of its gate.
///
/// @since 0.1
/// @stability contract
public enum Activation {
  /// `silu(g) = g / (1 + exp(-g))`, as in Llama's SwiGLU (Shazeer 2020).
  SILU,
  /// `gelu(g) = 0.5 * g * (1 + tanh(sqrt(2/π) * (g + 0.044715 * g³)))`, the approximation by tanh
  /// of Hendrycks and Gimpel 2016, as in Gemma's GeGLU.
  GELU_TANH
}

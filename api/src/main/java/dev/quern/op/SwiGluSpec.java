package dev.quern.op;

/// What a SwiGLU operator does: `y = silu(gate) * up` with `silu(g) = g / (1 + exp(-g))`, element
/// by element (Shazeer 2020).
///
/// @param width columns
public record SwiGluSpec(int width) {
  public SwiGluSpec {
    Checks.positive("swiglu", "width", width);
  }
}

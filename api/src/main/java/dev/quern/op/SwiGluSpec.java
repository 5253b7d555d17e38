package dev.quern.op;

/// What a SwiGLU operator does: `y = silu(gate) * up` with `silu(g) = g / (1 + exp(-g))`, element
/// by element (Shazeer 2020).
///
/// A minor version may add a component, with a value that means what was meant before: [#of] and
/// the methods that change one stay, and the constructor does not (SPEC.md, Versioning).
///
/// @param width columns
public record SwiGluSpec(int width) {
  public SwiGluSpec {
    Checks.positive("swiglu", "width", width);
  }

  /// Gates of that width.
  public static SwiGluSpec of(int width) {
    return new SwiGluSpec(width);
  }

  /// This spec for rows of another width.
  public SwiGluSpec withWidth(int width) {
    return new SwiGluSpec(width);
  }
}

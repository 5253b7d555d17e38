package dev.quern.op;

import java.util.Objects;

/// What a gated unit does: `y = activation(gate) * up`, element by element. With SiLU, unless told
/// otherwise, it is SwiGLU, which the operator is named after; with GELU it is GeGLU (both Shazeer
/// 2020).
///
/// A minor version may add a component, with a value that means what was meant before: [#of] and
/// the methods that change one stay, and the constructor does not (SPEC.md, Versioning).
///
/// @param width columns
/// @param activation of the gate
/// @since 0.1
/// @stability contract
public record SwiGluSpec(int width, Activation activation) {
  public SwiGluSpec {
    Objects.requireNonNull(activation, "activation");
    Checks.positive("swiglu", "width", width);
  }

  /// SiLU gates of that width.
  public static SwiGluSpec of(int width) {
    return new SwiGluSpec(width, Activation.SILU);
  }

  /// This spec for rows of another width.
  public SwiGluSpec withWidth(int width) {
    return new SwiGluSpec(width, activation);
  }

  /// This spec with another activation.
  public SwiGluSpec withActivation(Activation activation) {
    return new SwiGluSpec(width, activation);
  }
}

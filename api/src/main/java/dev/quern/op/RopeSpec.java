package dev.quern.op;

import java.util.Objects;

/// What a RoPE operator does: it rotates pairs of elements of each head, in place, by angles that
/// depend on the position (Su et al. 2021). Angles come as a table of cosines and sines, so that
/// frequency scaling is the caller's.
///
/// A minor version may add a component, with a value that means what was meant before: [#of] and
/// the methods that change one stay, and the constructor does not (SPEC.md, Versioning).
///
/// @param heads heads in a row
/// @param headDim elements of a head; even
/// @param pairing which elements form a pair
/// @since 0.1
/// @stability contract
public record RopeSpec(int heads, int headDim, RopePairing pairing) {
  public RopeSpec {
    Objects.requireNonNull(pairing, "pairing");
    Checks.positive("rope", "heads", heads);
    Checks.evenHeadDim("rope", headDim);
    Math.multiplyExact(heads, headDim);
  }

  /// A rotation of all elements of each head.
  public static RopeSpec of(int heads, int headDim, RopePairing pairing) {
    return new RopeSpec(heads, headDim, pairing);
  }

  /// This spec with another number of heads.
  public RopeSpec withHeads(int heads) {
    return new RopeSpec(heads, headDim, pairing);
  }
}

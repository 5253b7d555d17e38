package dev.quern.conformance.linear;

/// How weights are distributed, in the terms of their format: integers and scales.
public enum WeightValues {
  /// All integers occur; scales are moderate and of either sign.
  NORMAL,
  /// `W[o][i]` is 1 where `i = (7 * o + seed) mod inputs`, else 0: y shows the activations as the
  /// kernel represents them. In a format that has no 0 it is the largest there, and else what is
  /// nearest to 0.
  ONE_HOT,
  /// Scales of zero.
  ZERO,
  /// Blocks of the smallest or of the largest integers, with scales at the ends of their type.
  EXTREME,
  /// Scales from far below 1 to far above.
  WIDE
}

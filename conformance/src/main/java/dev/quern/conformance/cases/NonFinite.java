package dev.quern.conformance.cases;

import java.util.List;

/// The numbers that are none.
public final class NonFinite {
  public static final List<Float> ALL =
      List.of(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);

  private NonFinite() {}

  /// One of them.
  public static float any(Mix mix) {
    return ALL.get(mix.below(ALL.size()));
  }
}

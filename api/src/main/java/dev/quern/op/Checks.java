package dev.quern.op;

import java.util.Locale;

/// Checks that several specs share.
final class Checks {
  private Checks() {}

  static void positive(String operator, String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s: %s=%d, expected >= 1", operator, name, value));
    }
  }

  static void evenHeadDim(String operator, int headDim) {
    if (headDim < 2 || headDim % 2 != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "%s: headDim=%d, expected a positive even number", operator, headDim));
    }
  }
}

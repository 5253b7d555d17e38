package dev.quern.op;

import java.util.Locale;

/// What an RMSNorm operator does: `y = x / sqrt(mean(x²) + epsilon) * weight`, row by row (Zhang
/// and Sennrich 2019).
///
/// @param width columns
/// @param epsilon added to the mean of squares; not negative, finite
public record RmsNormSpec(int width, float epsilon) {
  public RmsNormSpec {
    Checks.positive("rmsnorm", "width", width);
    if (!(epsilon >= 0) || Float.isInfinite(epsilon)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "rmsnorm: epsilon=%s, expected a finite number >= 0", epsilon));
    }
  }
}

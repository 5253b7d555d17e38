package dev.quern.op;

import java.util.Locale;

/// What an RMSNorm operator does: `y = x / sqrt(mean(x²) + epsilon) * weight`, row by row (Zhang
/// and Sennrich 2019).
///
/// A minor version may add a component, with a value that means what was meant before: [#of] and
/// the methods that change one stay, and the constructor does not (SPEC.md, Versioning).
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

  /// A norm of rows of that width.
  public static RmsNormSpec of(int width, float epsilon) {
    return new RmsNormSpec(width, epsilon);
  }

  /// This spec for rows of another width.
  public RmsNormSpec withWidth(int width) {
    return new RmsNormSpec(width, epsilon);
  }
}

package dev.quern.op;

import java.util.Locale;

/// What an RMSNorm operator does: `y = x / sqrt(mean(x²) + epsilon) * weight`, row by row (Zhang
/// and Sennrich 2019), or group by group of a row: a norm of heads (QK-norm) has a group for each
/// head, and one weight for all.
///
/// A minor version may add a component, with a value that means what was meant before: [#of] and
/// the methods that change one stay, and the constructor does not (SPEC.md, Versioning).
///
/// @param width columns
/// @param epsilon added to the mean of squares; not negative, finite
/// @param groups parts of a row, of equal size, that have a mean each; divides width
/// @since 0.1
/// @stability contract
public record RmsNormSpec(int width, float epsilon, int groups) {
  public RmsNormSpec {
    Checks.positive("rmsnorm", "width", width);
    if (!(epsilon >= 0) || Float.isInfinite(epsilon)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "rmsnorm: epsilon=%s, expected a finite number >= 0", epsilon));
    }
    Checks.positive("rmsnorm", "groups", groups);
    if (width % groups != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "rmsnorm: groups=%d, expected a divisor of width=%d", groups, width));
    }
  }

  /// A norm of whole rows of that width.
  public static RmsNormSpec of(int width, float epsilon) {
    return new RmsNormSpec(width, epsilon, 1);
  }

  /// Elements of a group, and of the weight.
  public int groupWidth() {
    return width / groups;
  }

  /// This spec for rows of another width, which the groups have to divide.
  public RmsNormSpec withWidth(int width) {
    return new RmsNormSpec(width, epsilon, groups);
  }

  /// This spec with rows cut into so many groups.
  public RmsNormSpec withGroups(int groups) {
    return new RmsNormSpec(width, epsilon, groups);
  }
}

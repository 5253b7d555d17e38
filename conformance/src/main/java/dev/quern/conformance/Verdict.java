package dev.quern.conformance;

/// Collects comparisons of one result, and keeps the worst.
public final class Verdict {
  private double worst;
  private Outcome.Fail failure;

  /// Nothing compared yet.
  public Verdict() {}

  /// The element must be within the bound of the expected value.
  ///
  /// @param bound absolute, finite, not negative
  public void close(String name, int row, int col, double expected, float actual, double bound) {
    double error = Math.abs(actual - expected);
    double ratio = Double.isNaN(error) ? Double.POSITIVE_INFINITY : error == 0 ? 0 : error / bound;
    if (ratio > worst) {
      worst = ratio;
      if (ratio > 1) {
        failure =
            new Outcome.Fail(
                at(name, row, col),
                Double.toString(expected),
                Float.toString(actual),
                "%.3g, error %.3g".formatted(bound, error),
                ratio);
      }
    }
  }

  /// The element must have the same bits; any NaN equals any NaN.
  public void same(String name, int index, float expected, float actual) {
    if (Float.floatToIntBits(expected) != Float.floatToIntBits(actual)) {
      fail("%s[%d]".formatted(name, index), bits(expected), bits(actual));
    }
  }

  /// The element must be NaN.
  public void nan(String name, int row, int col, float actual) {
    if (!Float.isNaN(actual)) {
      fail(at(name, row, col), "NaN", Float.toString(actual));
    }
  }

  /// Something that has no bound is wrong. The first of these is kept.
  public void fail(String where, String expected, String actual) {
    if (worst < Double.POSITIVE_INFINITY) {
      worst = Double.POSITIVE_INFINITY;
      failure = new Outcome.Fail(where, expected, actual);
    }
  }

  /// Takes over what another verdict found.
  public void add(Verdict other) {
    if (other.worst > worst) {
      worst = other.worst;
      failure = other.failure;
    }
  }

  /// The worst error against its bound.
  public double worst() {
    return worst;
  }

  public Outcome outcome() {
    return failure != null ? failure : new Outcome.Pass(worst);
  }

  private static String at(String name, int row, int col) {
    return "%s[%d][%d]".formatted(name, row, col);
  }

  private static String bits(float v) {
    return "%s (0x%08x)".formatted(v, Float.floatToRawIntBits(v));
  }
}

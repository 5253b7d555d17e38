package dev.quern.benchmarks;

import dev.quern.measure.Spread;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/// What a file keeps of a figure over all pairs.
///
/// @param median above 0, between the others
/// @param min the smallest
/// @param max the largest
record Summary(double median, double min, double max) {
  private static final MathContext DIGITS = new MathContext(6); // more than any machine repeats

  Summary {
    if (!(min > 0 && min <= median && median <= max && Double.isFinite(max))) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "median %s of %s .. %s, expected 0 < min <= median <= max",
              median,
              min,
              max));
    }
  }

  static Summary of(Spread spread) {
    return new Summary(rounded(spread.median()), rounded(spread.min()), rounded(spread.max()));
  }

  private static double rounded(double value) {
    return new BigDecimal(value, DIGITS).doubleValue();
  }
}

package dev.quern.conformance.report;

import java.util.Locale;

/// Numbers for people.
final class Format {
  private Format() {}

  /// An error against its bound: `0.420`; `exact` where nothing was off.
  static String ratio(double ratio) {
    return ratio == 0
        ? "exact"
        : Double.isInfinite(ratio)
            ? "infinite"
            : String.format(Locale.ROOT, ratio < 0.001 || ratio >= 1000 ? "%.1e" : "%.3f", ratio);
  }

  /// Seconds with three decimals.
  static String seconds(long nanos) {
    return String.format(Locale.ROOT, "%.3f", nanos / 1e9);
  }
}

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

  /// A constant as text: `HALF_SPLIT` is `half-split`.
  static String words(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /// Seconds with three decimals.
  static String seconds(long nanos) {
    return String.format(Locale.ROOT, "%.3f", nanos / 1e9);
  }
}

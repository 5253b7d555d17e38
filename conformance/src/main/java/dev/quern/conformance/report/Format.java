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
            : text(ratio < 0.001 || ratio >= 1000 ? "%.1e" : "%.3f", ratio);
  }

  /// A text with numbers, which look the same in every country.
  static String text(String format, Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }

  /// Seconds with three decimals.
  static String seconds(long nanos) {
    return text("%.3f", nanos / 1e9);
  }
}

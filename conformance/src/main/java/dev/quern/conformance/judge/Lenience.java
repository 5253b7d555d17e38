package dev.quern.conformance.judge;

import java.time.Duration;
import java.util.Locale;

/// What system properties ask for where a machine, or its JVM, is to blame and no kernel.
///
/// @since 0.1
/// @stability api
public final class Lenience {
  private static final String ALLOCATION = "quern.conformance.allocation";
  private static final String PATIENCE = "quern.conformance.patience";

  private Lenience() {}

  /// Whether P14 is reported and not judged: `-Dquern.conformance.allocation=report`, against the
  /// default `judge`.
  ///
  /// @throws IllegalArgumentException if the property says anything else
  public static boolean allocationIsReportedOnly() {
    String value = System.getProperty(ALLOCATION, "judge");
    return switch (value) {
      case "judge" -> false;
      case "report" -> true;
      default ->
          throw new IllegalArgumentException(
              String.format(Locale.ROOT, "%s=%s, expected judge or report", ALLOCATION, value));
    };
  }

  /// How long to wait for what takes at most `limit` on an ordinary machine: a slow one, or an
  /// emulator, asks for so many times as long by `-Dquern.conformance.patience=10`.
  ///
  /// @throws IllegalArgumentException if the property is no number from 0.001 to 1000
  public static Duration patient(Duration limit) {
    String value = System.getProperty(PATIENCE, "1");
    double times;
    try {
      times = Double.parseDouble(value);
    } catch (NumberFormatException e) {
      times = Double.NaN;
    }
    if (!(times >= 0.001 && times <= 1000)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s=%s, expected 0.001 to 1000", PATIENCE, value));
    }
    return Duration.ofNanos((long) (limit.toNanos() * times));
  }
}

package dev.quern.conformance;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/// How much is tried.
///
/// @param tries generated cases for each rule and format, besides the fixed edge cases
/// @param seed what cases are generated from; a run prints it
/// @param replay the one case to run instead: what a failure printed, for example
///   `L5/linear:format=Q4_0,...`
/// @param breadcrumb a file that is to hold the replay string of the case being checked: where a
///   native kernel ends the process beside a guard page, it names the case
public record Settings(int tries, long seed, Optional<String> replay, Optional<Path> breadcrumb) {
  /// Generated cases for each rule and format unless told otherwise.
  public static final int DEFAULT_TRIES = 20;

  /// Generated cases of a quick run.
  public static final int QUICK_TRIES = 2;

  /// The seed unless told otherwise: a build that was green stays green, and an overnight run gives
  /// another.
  public static final long DEFAULT_SEED = 1;

  private static final String ALLOCATION = "quern.conformance.allocation";
  private static final String PATIENCE = "quern.conformance.patience";

  public Settings {
    if (tries < 0) {
      throw new IllegalArgumentException("tries=" + tries + ", expected >= 0");
    }
  }

  /// Settings without a breadcrumb.
  public Settings(int tries, long seed, Optional<String> replay) {
    this(tries, seed, replay, Optional.empty());
  }

  /// What the system properties `quern.conformance.tries`, `.seed`, `.replay` and `.breadcrumb`
  /// say.
  ///
  /// @throws IllegalArgumentException if one of them, `.allocation` or `.patience`, says what it
  ///   can't
  public static Settings fromSystemProperties() {
    allocationIsReportedOnly(); // a mistyped word is the user's mistake, and no kernel's
    patient(Duration.ZERO);
    return new Settings(
        (int) number("quern.conformance.tries", DEFAULT_TRIES),
        number("quern.conformance.seed", DEFAULT_SEED),
        Optional.ofNullable(System.getProperty("quern.conformance.replay")),
        Optional.ofNullable(System.getProperty("quern.conformance.breadcrumb")).map(Path::of));
  }

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

  private static long number(String property, long otherwise) {
    String value = System.getProperty(property);
    try {
      return value == null ? otherwise : Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s=%s, expected a number", property, value), e);
    }
  }
}

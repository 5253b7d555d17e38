package dev.quern.conformance;

import dev.quern.conformance.judge.Lenience;
import dev.quern.conformance.rules.Rule;
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
/// @since 0.1
/// @stability api
public record Settings(int tries, long seed, Optional<String> replay, Optional<Path> breadcrumb) {
  /// Generated cases for each rule and format unless told otherwise.
  public static final int DEFAULT_TRIES = Rule.DEFAULT_TRIES;

  /// Generated cases of a quick run.
  public static final int QUICK_TRIES = Rule.QUICK_TRIES;

  /// The seed unless told otherwise: a build that was green stays green, and an overnight run gives
  /// another.
  public static final long DEFAULT_SEED = 1;

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
    Lenience.allocationIsReportedOnly(); // a mistyped word is the user's mistake, and no kernel's
    Lenience.patient(Duration.ZERO);
    return new Settings(
        (int) number("quern.conformance.tries", DEFAULT_TRIES),
        number("quern.conformance.seed", DEFAULT_SEED),
        Optional.ofNullable(System.getProperty("quern.conformance.replay")),
        Optional.ofNullable(System.getProperty("quern.conformance.breadcrumb")).map(Path::of));
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

package dev.quern.conformance.testing;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.quern.conformance.CellResult;
import dev.quern.conformance.Selection;
import dev.quern.conformance.Settings;
import dev.quern.conformance.Suite;
import dev.quern.conformance.SuiteResult;
import dev.quern.conformance.Target;
import dev.quern.spi.Availability;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// A part of the conformance suite as one test, for a provider whose tests run it again for each
/// CPU of a table.
public final class SuitePart {
  private SuitePart() {}

  /// Runs it, and prints which rules were kept, by how many cases. The test fails with the first
  /// case that broke one, and where there was no case or no provider.
  ///
  /// @param name of this part, for the line
  /// @param tries generated cases for each rule, besides the edge cases
  public static void check(String name, Target target, Selection selection, int tries) {
    if (target.availability() instanceof Availability.Unavailable u) {
      fail("unavailable: " + u.reason());
    }
    SuiteResult result =
        Suite.run(
            target,
            new Settings(tries, Settings.DEFAULT_SEED, Optional.empty()),
            selection,
            cell -> {});
    result.cells().stream()
        .flatMap(c -> c.firstFailure().stream())
        .findFirst()
        .ifPresent(f -> fail(f.message()));
    assertTrue(result.green(), "nothing was checked");
    System.out.printf(
        Locale.ROOT,
        "%s: %d cases kept the rules %s%n",
        name,
        result.passes(),
        result.cells().stream()
            .filter(c -> c.passes() > 0)
            .map(CellResult::rule)
            .collect(Collectors.toCollection(TreeSet::new)));
  }
}

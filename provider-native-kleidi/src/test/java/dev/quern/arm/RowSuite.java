package dev.quern.arm;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.quern.conformance.CellResult;
import dev.quern.conformance.Selection;
import dev.quern.conformance.Settings;
import dev.quern.conformance.Suite;
import dev.quern.conformance.SuiteResult;
import dev.quern.conformance.Target;
import dev.quern.conformance.rules.Catalog;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/// A named part of the conformance suite, small enough for an emulator.
///
/// @param provider what is tested
/// @param subjects words of subjects, such as `Q4_0`; `all` for an operator without formats
record RowSuite(Supplier<KernelProvider> provider, Subject... subjects) {
  /// How many generated cases, beside the edge cases.
  private static final int TRIES = 1;

  /// An operator and one kind of its specs.
  record Subject(String operator, String word) {}

  static Subject of(String operator, String word) {
    return new Subject(operator, word);
  }

  /// A test for each subject, of every rule but P14: whether C2 removes allocations is no question
  /// of the CPU, and answering it takes seconds a kernel without an emulator.
  Stream<DynamicTest> tests() {
    System.out.println("left out: P14, which is about C2 and is judged outside emulation");
    return Stream.of(subjects)
        .map(s -> DynamicTest.dynamicTest(s.operator() + " " + s.word(), () -> check(s)));
  }

  private void check(Subject subject) {
    Target target = Target.here(provider.get());
    if (target.provider().availability(target.platform()) instanceof Availability.Unavailable u) {
      fail("unavailable: " + u.reason());
    }
    Selection selection =
        new Selection(
            Set.of(subject.operator),
            subject.word.equals("all") ? Set.of() : Set.of(subject.word),
            rules(subject.operator));
    SuiteResult result =
        Suite.run(
            target,
            new Settings(TRIES, Settings.DEFAULT_SEED, java.util.Optional.empty()),
            selection,
            cell -> {});
    result.cells().stream()
        .flatMap(c -> c.firstFailure().stream())
        .findFirst()
        .ifPresent(f -> fail(f.message()));
    assertTrue(result.green(), "nothing was checked");
    System.out.printf(
        "%s %s: %d cases kept the rules %s%n",
        subject.operator,
        subject.word,
        result.passes(),
        result.cells().stream()
            .map(CellResult::rule)
            .collect(Collectors.toCollection(java.util.TreeSet::new)));
  }

  private static Set<String> rules(String operator) {
    return Catalog.operators().stream()
        .filter(o -> o.name().equals(operator))
        .flatMap(o -> o.rules().stream())
        .map(r -> r.id())
        .filter(id -> !id.equals("P14"))
        .collect(Collectors.toSet());
  }
}

package dev.quern.conformance;

import dev.quern.KernelOptions;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Subject;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.opentest4j.TestAbortedException;

/// What the conformance classes of the operators share: a test for each rule and format, named
/// `L5_exact_f32 [Q4_0 exact-f32]`.
///
/// A spec that the provider declines is an aborted test with the reason, and so is a provider that
/// is unavailable here. Tries, seed and replay are the system properties that [Settings] names.
public abstract class OperatorConformance {
  private final OperatorSuite<?> suite;

  OperatorConformance(OperatorSuite<?> suite) {
    this.suite = suite;
  }

  /// The provider under test.
  protected abstract KernelProvider provider();

  /// Where it runs: this machine, unless a subclass says otherwise.
  protected Platform platform() {
    return KernelOptions.fromSystem().providersPlatform();
  }

  /// What its author declares: the resource in its JAR, unless a subclass says otherwise.
  protected Support support() {
    return Support.of(provider());
  }

  /// Tries and seed: those of the system properties, unless a subclass says otherwise.
  protected Settings settings() {
    return Settings.fromSystemProperties();
  }

  /// All rules of the operator.
  @TestFactory
  public final Stream<DynamicTest> rules() {
    Target target = new Target(provider(), platform(), support());
    Settings settings = settings();
    if (target.provider().availability(target.platform()) instanceof Availability.Unavailable u) {
      String reason =
          String.format(Locale.ROOT, "unavailable: %s %s", u.reason(), u.remedy()).strip();
      return Stream.of(aborted(suite.name(), reason));
    }
    if (settings.replay().isPresent()) {
      return Replay.find(settings.replay().get(), suite).stream()
          .map(r -> DynamicTest.dynamicTest("replay " + r, () -> verify(r.run(target, settings))));
    }
    return tests(suite, target, settings);
  }

  private static <C extends Record & Case> Stream<DynamicTest> tests(
      OperatorSuite<C> suite, Target target, Settings settings) {
    return suite.subjects(target).stream()
        .flatMap(subject ->
            Suite.declined(suite, subject, target)
                .map(reason -> Stream.of(aborted(name(suite, subject), reason)))
                .orElseGet(() ->
                    suite.rules().stream()
                        .filter(rule -> rule.applies().test(subject.first()))
                        .map(rule ->
                            DynamicTest.dynamicTest(
                                String.format(
                                    Locale.ROOT, "%s [%s]", rule.testName(), subject.label()),
                                () ->
                                    verify(
                                        new PropertyRunner<>(suite, subject, rule, target, settings)
                                            .run())))));
  }

  private static String name(OperatorSuite<?> suite, Subject<?> subject) {
    return String.format(Locale.ROOT, "%s [%s]", suite.name(), subject.label());
  }

  private static DynamicTest aborted(String name, String reason) {
    return DynamicTest.dynamicTest(
        name,
        () -> {
          throw new TestAbortedException(reason);
        });
  }

  /// Fails with the first failure; aborts if nothing was checked.
  static void verify(List<CellResult> cells) {
    cells.stream()
        .flatMap(c -> c.firstFailure().stream())
        .findFirst()
        .ifPresent(f -> {
          throw new AssertionError(f.message());
        });
    if (cells.stream().mapToInt(CellResult::passes).sum() == 0) {
      throw new TestAbortedException(
          cells.stream().flatMap(c -> c.skips().keySet().stream()).distinct().toList().toString());
    }
  }
}

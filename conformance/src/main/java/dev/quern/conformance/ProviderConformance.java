package dev.quern.conformance;

import dev.quern.KernelOptions;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.rules.Catalog;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.ProviderRules;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Rules P1 to P4 of SPEC.md, and the provider's support declaration (see [Support]), as JUnit
/// tests. A provider's author extends it as [LinearConformance].
public abstract class ProviderConformance {
  protected ProviderConformance() {}

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

  /// All rules of the provider.
  @TestFactory
  public final Stream<DynamicTest> rules() {
    Target target = new Target(provider(), platform(), support());
    Settings settings = settings();
    Stream<DynamicTest> whole =
        ProviderRules.whole().stream()
            .map(rule ->
                DynamicTest.dynamicTest(
                    rule.testName(),
                    () ->
                        OperatorConformance.verify(List.of(Suite.check(rule, target, settings)))));
    boolean ready = target.provider().availability(target.platform()) instanceof Availability.Ready;
    return ready
        ? Stream.concat(
            whole, Catalog.operators().stream().flatMap(s -> offers(s, target, settings)))
        : whole;
  }

  private static <C extends Record & Case> Stream<DynamicTest> offers(
      OperatorSuite<C> suite, Target target, Settings settings) {
    return suite.subjects(target).stream()
        .flatMap(subject ->
            ProviderRules.offers(suite).stream()
                .map(rule ->
                    DynamicTest.dynamicTest(
                        String.format(
                            Locale.ROOT,
                            "%s [%s %s]",
                            rule.testName(),
                            suite.name(),
                            subject.label()),
                        () ->
                            OperatorConformance.verify(
                                new PropertyRunner<>(suite, subject, rule, target, settings)
                                    .run()))));
  }
}

package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.catalog.ProviderRules;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.run.Hangs;
import dev.quern.spi.Availability;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// Rules P1 to P4 and P22 of SPEC.md, and the provider's support declaration (see [Support]), as
/// JUnit tests. A provider's author extends it as [LinearConformance].
///
/// @since 0.1
/// @stability api
@Tag("provider")
public abstract non-sealed class ProviderConformance extends Conformance {
  protected ProviderConformance() {}

  @TestFactory
  @Tag("P1")
  public final Stream<DynamicNode> P1() {
    return rule("P1");
  }

  @TestFactory
  @Tag("P2")
  public final Stream<DynamicNode> P2() {
    return rule("P2");
  }

  @TestFactory
  @Tag("P3")
  public final Stream<DynamicNode> P3() {
    return rule("P3");
  }

  @TestFactory
  @Tag("P4")
  public final Stream<DynamicNode> P4() {
    return rule("P4");
  }

  @TestFactory
  @Tag("P22")
  public final Stream<DynamicNode> P22() {
    return rule("P22");
  }

  /// What is accepted is declared, and the other way round.
  @TestFactory
  @Tag(ProviderRules.SUPPORT)
  public final Stream<DynamicNode> declaration() {
    return rule(ProviderRules.SUPPORT);
  }

  private Stream<DynamicNode> rule(String id) {
    return nodes(() -> checks(id));
  }

  private Stream<Check> checks(String id) {
    Target target = target();
    Settings settings = settings();
    if (settings.replay().isPresent()) {
      return SuiteCatalog.operators().stream()
          .flatMap(s -> Replay.find(settings.replay().get(), id, s).stream())
          .map(r -> new Check(id, "replay " + r, () -> verify(r.run(target, settings))));
    }
    Stream<Check> whole =
        ProviderRules.whole().stream()
            .filter(rule -> rule.id().equals(id))
            .map(rule ->
                new Check(
                    id,
                    rule.testName(),
                    () -> verify(List.of(Suite.check(rule, target, settings)))));
    boolean ready = target.availability() instanceof Availability.Ready;
    return ready
        ? Stream.concat(
            whole, SuiteCatalog.operators().stream().flatMap(s -> offers(s, id, target, settings)))
        : whole;
  }

  private static <C extends Record & Case> Stream<Check> offers(
      OperatorSuite<C> suite, String id, Target target, Settings settings) {
    Hangs hangs = new Hangs();
    return suite.subjects(target).stream()
        .flatMap(subject ->
            ProviderRules.offers(suite).stream()
                .filter(rule -> rule.id().equals(id))
                .map(rule ->
                    OperatorConformance.check(suite, rule, subject, target, settings, hangs)));
  }
}

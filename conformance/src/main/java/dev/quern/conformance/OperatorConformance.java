package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.Subject;
import dev.quern.conformance.run.Hangs;
import dev.quern.spi.Availability;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/// What the conformance classes of the operators share: the rules of section P, and how a rule
/// becomes a test for each format, named `L5_exact_f32 [Q4_0 exact-f32]`.
///
/// A spec that the provider declines is an aborted test with the reason, and so is a rule of which
/// nothing can be tested, because all is declined or the provider is unavailable here. Tries, seed
/// and replay are the system properties that [Settings] names.
///
/// @since 0.1
/// @stability api
public abstract non-sealed class OperatorConformance extends Conformance {
  private final OperatorSuite<?> suite;

  OperatorConformance(OperatorSuite<?> suite) {
    this.suite = suite;
  }

  @TestFactory
  @Tag("P5")
  public final Stream<DynamicNode> P5() {
    return rule("P5");
  }

  @TestFactory
  @Tag("P6")
  public final Stream<DynamicNode> P6() {
    return rule("P6");
  }

  @TestFactory
  @Tag("P7")
  public final Stream<DynamicNode> P7() {
    return rule("P7");
  }

  @TestFactory
  @Tag("P8")
  public final Stream<DynamicNode> P8() {
    return rule("P8");
  }

  @TestFactory
  @Tag("P9")
  public final Stream<DynamicNode> P9() {
    return rule("P9");
  }

  @TestFactory
  @Tag("P10")
  public final Stream<DynamicNode> P10() {
    return rule("P10");
  }

  @TestFactory
  @Tag("P11")
  public final Stream<DynamicNode> P11() {
    return rule("P11");
  }

  @TestFactory
  @Tag("P12")
  public final Stream<DynamicNode> P12() {
    return rule("P12");
  }

  @TestFactory
  @Tag("P13")
  public final Stream<DynamicNode> P13() {
    return rule("P13");
  }

  @TestFactory
  @Tag("P14")
  public final Stream<DynamicNode> P14() {
    return rule("P14");
  }

  @TestFactory
  @Tag("P15")
  public final Stream<DynamicNode> P15() {
    return rule("P15");
  }

  @TestFactory
  @Tag("P18")
  public final Stream<DynamicNode> P18() {
    return rule("P18");
  }

  @TestFactory
  @Tag("P21")
  public final Stream<DynamicNode> P21() {
    return rule("P21");
  }

  /// What is declined, and a replay of another operator: aborted, each with the reason.
  @TestFactory
  public final Stream<DynamicNode> declined() {
    return nodes(this::aborted);
  }

  private Stream<Check> aborted() {
    Target target = target();
    Optional<String> replay = settings().replay();
    if (replay.isPresent()) {
      String other = Replay.operator(replay.get());
      return other.equals(suite.name())
          ? Stream.empty()
          : Stream.of(
              Check.aborted("", name("replay"), "quern.conformance.replay is a case of " + other));
    }
    return unavailable(target).isPresent() ? Stream.empty() : declined(suite, target);
  }

  private static <C extends Record & Case> Stream<Check> declined(
      OperatorSuite<C> suite, Target target) {
    return suite.subjects(target).stream()
        .flatMap(s ->
            Suite.declined(suite, s, target).stream()
                .map(reason -> Check.aborted("", name(suite, s.label()), reason)));
  }

  /// All tests of a rule.
  ///
  /// @param id as in SPEC.md: `L5`
  final Stream<DynamicNode> rule(String id) {
    return nodes(() -> checks(id));
  }

  private Stream<Check> checks(String id) {
    Target target = target();
    Settings settings = settings();
    return settings.replay().isPresent()
        ? Replay.find(settings.replay().get(), id, suite).stream()
            .map(r -> new Check(id, "replay " + r, () -> verify(r.run(target, settings))))
        : checks(suite, id, target, settings);
  }

  private static <C extends Record & Case> Stream<Check> checks(
      OperatorSuite<C> suite, String id, Target target, Settings settings) {
    Optional<String> unavailable = unavailable(target);
    List<Subject<C>> subjects = suite.subjects(target);
    Hangs hangs = new Hangs();
    return suite.rules().stream()
        .filter(rule -> rule.id().equals(id))
        .flatMap(rule ->
            unavailable
                .map(reason -> Stream.of(nothing(suite, rule, reason)))
                .orElseGet(() -> checks(suite, rule, subjects, target, settings, hangs)));
  }

  private static <C extends Record & Case> Stream<Check> checks(
      OperatorSuite<C> suite,
      Rule<C> rule,
      List<Subject<C>> subjects,
      Target target,
      Settings settings,
      Hangs hangs) {
    List<Subject<C>> spokenOf =
        subjects.stream().filter(s -> rule.applies().test(s.first())).toList();
    List<Check> checks =
        spokenOf.stream()
            .filter(s -> Suite.declined(suite, s, target).isEmpty())
            .map(s -> check(suite, rule, s, target, settings, hangs))
            .toList();
    return checks.isEmpty() && !spokenOf.isEmpty()
        ? Stream.of(
            nothing(suite, rule, Suite.declined(suite, spokenOf.getFirst(), target).orElseThrow()))
        : checks.stream();
  }

  static <C extends Record & Case> Check check(
      OperatorSuite<C> suite,
      Rule<C> rule,
      Subject<C> subject,
      Target target,
      Settings settings,
      Hangs hangs) {
    return new Check(
        rule.id(),
        CellResult.title(rule.id(), rule.name(), suite.name(), subject.label()),
        () -> verify(new PropertyRunner<>(suite, subject, rule, target, settings, hangs).run()));
  }

  private static Check nothing(OperatorSuite<?> suite, Rule<?> rule, String reason) {
    return Check.aborted(
        rule.id(), CellResult.title(rule.id(), rule.name(), suite.name(), "all"), reason);
  }

  private static Optional<String> unavailable(Target target) {
    return target.availability() instanceof Availability.Unavailable u
        ? Optional.of(
            String.format(Locale.ROOT, "unavailable: %s %s", u.reason(), u.remedy()).strip())
        : Optional.empty();
  }

  private String name(String label) {
    return name(suite, label);
  }

  private static String name(OperatorSuite<?> suite, String label) {
    return String.format(Locale.ROOT, "%s [%s]", suite.name(), label);
  }
}

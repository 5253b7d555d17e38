package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.catalog.ProviderRules;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.judge.Lenience;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.Subject;
import dev.quern.conformance.run.Hangs;
import dev.quern.conformance.run.Thrown;
import dev.quern.conformance.run.Watchdog;
import dev.quern.spi.Availability;
import dev.quern.spi.Offer;
import dev.quern.spi.Spec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// The whole suite on one provider, without JUnit: what the command line runs and reports are made
/// of.
///
/// @since 0.1
/// @stability api
public final class Suite {
  /// What asks a provider for its offers, or what it is, is done in milliseconds.
  private static final Duration ANSWERED = Duration.ofSeconds(20);

  /// What asks it for all of them: some may not be answered.
  private static final Duration ALL_ANSWERED = Duration.ofSeconds(60);

  private Suite() {}

  /// What the provider answers, within a limit of time.
  ///
  /// @throws dev.quern.conformance.run.NoEndException if it does not
  static <T> T ask(String what, Callable<T> question) throws Exception {
    return Watchdog.once(what, Lenience.patient(ANSWERED), question);
  }

  /// What many of its answers give, within a limit of time.
  ///
  /// @throws dev.quern.conformance.run.NoEndException if it does not end
  static <T> T askAll(String what, Callable<T> questions) throws Exception {
    return Watchdog.once(what, Lenience.patient(ALL_ANSWERED), questions);
  }

  /// What may be selected: `provider` for the provider's own rules, and the operators.
  public static List<String> operators() {
    return Stream.concat(
            Stream.of("provider"), SuiteCatalog.operators().stream().map(OperatorSuite::name))
        .toList();
  }

  /// Runs it.
  ///
  /// @param selection what of it
  /// @param progress is told each result as it comes
  /// @throws IllegalArgumentException if the selection names an operator that there is not
  public static SuiteResult run(
      Target target, Settings settings, Selection selection, Consumer<CellResult> progress) {
    return run(target, settings, selection, Plan.suite(), progress);
  }

  /// Runs it, and what else is planned.
  ///
  /// @param selection what of the suite, and which operators of models
  /// @param progress is told each result as it comes
  /// @throws IllegalArgumentException if the selection names an operator that there is not, or a
  ///   model's kernel can't be tried
  public static SuiteResult run(
      Target target,
      Settings settings,
      Selection selection,
      Plan plan,
      Consumer<CellResult> progress) {
    List<String> known = operators();
    if (!known.containsAll(selection.operators())) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "operators=%s, expected some of %s", selection.operators(), known));
    }
    ModelSpecs models = new ModelSpecs(plan, settings);
    List<CellResult> cells = new ArrayList<>();
    Consumer<CellResult> add =
        cell -> {
          cells.add(cell);
          progress.accept(cell);
        };
    Availability availability;
    try {
      availability = Objects.requireNonNull(ask("open", target::availability), "availability");
    } catch (Throwable e) { // of the provider; rule P3 says more
      availability = new Availability.Unavailable("no answer: it " + Thrown.text(e), "");
      ProviderRules.whole().stream()
          .filter(r -> r.id().equals("P3"))
          .forEach(r -> add.accept(check(r, target, settings)));
    }
    if (availability instanceof Availability.Ready && settings.replay().isPresent()) {
      replay(target, settings).forEach(add);
    } else if (availability instanceof Availability.Ready) {
      ProviderRules.whole().stream()
          .filter(r -> selection.operator("provider") && selection.rule(r.id()))
          .forEach(r ->
              plan.steps()
                  .run(
                      "provider/" + r.testName() + "/all",
                      () -> List.of(check(r, target, settings)))
                  .forEach(add));
      for (OperatorSuite<?> suite : SuiteCatalog.operators()) {
        if (selection.operator(suite.name())) {
          run(suite, target, settings, selection, plan, add);
          models.run(suite, target, add);
        }
      }
    }
    return new SuiteResult(
        target.name(),
        Spec.VERSION,
        target.platform(),
        availability,
        settings,
        cells,
        models.results());
  }

  private static List<CellResult> replay(Target target, Settings settings) {
    for (OperatorSuite<?> suite : SuiteCatalog.operators()) {
      Optional<? extends Replay<?>> replay = Replay.find(settings.replay().orElseThrow(), suite);
      if (replay.isPresent()) {
        return replay.get().run(target, settings);
      }
    }
    throw new IllegalArgumentException(
        String.format(
            Locale.ROOT, "replay '%s': no such operator", settings.replay().orElseThrow()));
  }

  private static <C extends Record & Case> void run(
      OperatorSuite<C> suite,
      Target target,
      Settings settings,
      Selection selection,
      Plan plan,
      Consumer<CellResult> add) {
    List<Subject<C>> subjects;
    try {
      subjects = ask(suite.name() + " offers", () -> suite.subjects(target));
    } catch (Exception e) {
      add.accept(noOffers(suite, target, settings, e));
      return;
    }
    Hangs hangs = new Hangs();
    for (Subject<C> subject : subjects) {
      if (!selection.subject(subject.label())) {
        continue;
      }
      ProviderRules.offers(suite).stream()
          .filter(r -> selection.rule(r.id()))
          .flatMap(r ->
              plan
                  .steps()
                  .run(
                      step(suite, subject, r),
                      () -> new PropertyRunner<>(suite, subject, r, target, settings, hangs).run())
                  .stream())
          .forEach(add);
      Optional<String> declined = declined(suite, subject, target);
      declined.ifPresent(reason -> plan.coverage().declined(suite.name(), subject.first()));
      suite.rules().stream()
          .filter(r -> selection.rule(r.id()) && r.applies().test(subject.first()))
          .map(r -> plan.coverage().watching(suite, r))
          .flatMap(r ->
              plan
                  .steps()
                  .run(
                      step(suite, subject, r),
                      () ->
                          declined
                              .map(reason -> List.of(declined(suite, subject, r, reason)))
                              .orElseGet(() ->
                                  new PropertyRunner<>(suite, subject, r, target, settings, hangs)
                                      .run()))
                  .stream())
          .forEach(add);
    }
  }

  /// Names a step, as reports name the test.
  static String step(OperatorSuite<?> suite, Subject<?> subject, Rule<?> rule) {
    return String.format(Locale.ROOT, "%s/%s/%s", suite.name(), rule.testName(), subject.label());
  }

  /// Why the provider declines a subject, if it declines all of its edge cases.
  static <C extends Record & Case> Optional<String> declined(
      OperatorSuite<C> suite, Subject<C> subject, Target target) {
    try {
      return ask(suite.name() + " offers", () -> allDeclined(suite, subject, target));
    } catch (Throwable e) {
      return Optional.empty(); // broken: the rules will say so
    }
  }

  private static <C extends Record & Case> Optional<String> allDeclined(
      OperatorSuite<C> suite, Subject<C> subject, Target target) {
    String reason = "";
    for (C edge : subject.edges()) {
      if (!(suite.offer(edge, target) instanceof Offer.Declined<?> d)) {
        return Optional.empty();
      }
      reason = "declined: " + d.reason();
    }
    return Optional.of(reason);
  }

  /// The provider did not say what it offers of an operator, so that there is nothing to try.
  private static CellResult noOffers(
      OperatorSuite<?> suite, Target target, Settings settings, Exception e) {
    Outcome.Fail fail = new Outcome.Fail("the offers", "an answer", Thrown.text(e));
    return cell("P4", "same_answer", suite.name(), target, settings, Optional.of(fail));
  }

  private static <C extends Record & Case> CellResult declined(
      OperatorSuite<C> suite, Subject<C> subject, Rule<C> rule, String reason) {
    return new CellResult(
        rule.id(),
        rule.name(),
        suite.name(),
        subject.label(),
        "all",
        1,
        0,
        0,
        Map.of(reason, 1),
        0,
        "",
        Optional.empty());
  }

  /// A rule about the provider as a whole, as one case. What the provider throws breaks it, and so
  /// does an answer that never comes.
  static CellResult check(ProviderRules.ProviderRule rule, Target target, Settings settings) {
    Outcome outcome;
    try {
      outcome = ask("the provider", () -> rule.check().check(target).outcome());
    } catch (Throwable e) {
      outcome = new Outcome.Fail("the provider", "an answer", Thrown.text(e));
    }
    Optional<Outcome.Fail> fail =
        outcome instanceof Outcome.Fail f ? Optional.of(f) : Optional.empty();
    return cell(rule.id(), rule.name(), "provider", target, settings, fail);
  }

  private static CellResult cell(
      String rule,
      String name,
      String operator,
      Target target,
      Settings settings,
      Optional<Outcome.Fail> fail) {
    Optional<Failure> failure =
        fail.map(f ->
            new Failure(
                rule,
                SpecText.of(rule),
                target.name(),
                operator,
                target.provider().getClass().getName(),
                f,
                List.of(),
                "",
                "",
                settings.seed()));
    return new CellResult(
        rule,
        name,
        operator,
        "all",
        "all",
        1,
        failure.isEmpty() ? 1 : 0,
        failure.isEmpty() ? 0 : 1,
        Map.of(),
        0,
        "",
        failure);
  }
}

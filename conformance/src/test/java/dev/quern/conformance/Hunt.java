package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.catalog.ProviderRules;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.Subject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.function.ToIntBiFunction;
import java.util.stream.Stream;

/// Looks for the first case by which a rule of the suite fails a provider: the suite's own cases in
/// the suite's own order, but no more of them than it takes.
public record Hunt(Target target, Settings settings, String operator) {

  private static final String PROVIDER = "provider";

  /// The first failure.
  ///
  /// @param check the rule and what was checked of it: `L5_exact_f32`
  /// @param subject what it was checked on: `F32 exact-f32`
  /// @param tries cases of that rule until then, the failing one among them
  public record Kill(String check, String subject, int tries) {}

  /// What the rule fails on first, over all subjects and all checks of that rule.
  public Optional<Kill> by(String rule) {
    int tried = 0;
    for (ProviderRules.ProviderRule whole : wholeProvider(rule)) {
      tried++;
      if (Suite.check(whole, target, settings).failures() > 0) {
        return Optional.of(new Kill(whole.testName(), "", tried));
      }
    }
    for (OperatorSuite<?> suite : suites()) {
      for (Attempt<?> attempt : attempts(suite)) {
        if (attempt.rule.id().equals(rule)) {
          OptionalInt kill = attempt.runner(this).triesUntilFailure();
          if (kill.isPresent()) {
            return Optional.of(
                new Kill(
                    attempt.rule.testName(), attempt.subject.label(), tried + kill.getAsInt()));
          }
          tried += attempt.runner(this).cases();
        }
      }
    }
    return Optional.empty();
  }

  /// What fails first of all that the suite checks of the operator and of the provider itself. Its
  /// tries are those of that check on that subject.
  ///
  /// @param rank of a check (`L5_exact_f32`) on a subject (`F32 exact-f32`): the lowest is tried
  ///   first, equals in the suite's order, and what is negative not at all
  public Optional<Kill> byAny(ToIntBiFunction<String, String> rank) {
    List<Step> steps = new ArrayList<>();
    for (ProviderRules.ProviderRule whole : ProviderRules.whole()) {
      steps.add(
          new Step(
              whole.testName(),
              "",
              () ->
                  Suite.check(whole, target, settings).failures() > 0
                      ? OptionalInt.of(1)
                      : OptionalInt.empty()));
    }
    for (OperatorSuite<?> suite : suites()) {
      Stream.concat(offers(suite).stream(), attempts(suite).stream())
          .map(a -> a.step(this))
          .forEach(steps::add);
    }
    steps.removeIf(s -> rank.applyAsInt(s.check, s.subject) < 0);
    steps.sort(Comparator.comparingInt(s -> rank.applyAsInt(s.check, s.subject)));
    for (Step step : steps) {
      OptionalInt tries = step.triesUntilFailure.get();
      if (tries.isPresent()) {
        return Optional.of(new Kill(step.check, step.subject, tries.getAsInt()));
      }
    }
    return Optional.empty();
  }

  private record Step(String check, String subject, Supplier<OptionalInt> triesUntilFailure) {}

  /// Ids of all rules that fail on a subject, but for those that are not asked. Operands beyond 2
  /// GiB are not tried: they take long, and end where memory ends, so a fault that writes behind
  /// scratch ends the process.
  public Set<String> rulesThatFail(String subject, Set<String> notAsked) {
    Set<String> failed = new TreeSet<>();
    for (OperatorSuite<?> suite : suites()) {
      for (Attempt<?> attempt : attempts(suite)) {
        if (attempt.subject.label().equals(subject)
            && !notAsked.contains(attempt.rule.id())
            && attempt.rule.effort() != Rule.Effort.ONE_HUGE_CASE
            && !failed.contains(attempt.rule.id())
            && attempt.runner(this).triesUntilFailure().isPresent()) {
          failed.add(attempt.rule.id());
        }
      }
    }
    return failed;
  }

  /// The rules of the provider itself, and offers of all operators, if it is the provider's fault.
  private List<ProviderRules.ProviderRule> wholeProvider(String rule) {
    return ProviderRules.whole().stream()
        .filter(r -> operator.equals(PROVIDER) && r.id().equals(rule))
        .toList();
  }

  private List<OperatorSuite<?>> suites() {
    return SuiteCatalog.operators().stream()
        .filter(s -> operator.equals(PROVIDER) || s.name().equals(operator))
        .toList();
  }

  private record Attempt<C extends Record & Case>(
      OperatorSuite<C> suite, Subject<C> subject, Rule<C> rule) {
    PropertyRunner<C> runner(Hunt hunt) {
      return new PropertyRunner<>(suite, subject, rule, hunt.target, hunt.settings);
    }

    Step step(Hunt hunt) {
      return new Step(rule.testName(), subject.label(), () -> runner(hunt).triesUntilFailure());
    }
  }

  private <C extends Record & Case> List<Attempt<C>> offers(OperatorSuite<C> suite) {
    List<Attempt<C>> attempts = new ArrayList<>();
    for (Subject<C> subject : suite.subjects(target)) {
      ProviderRules.offers(suite).forEach(r -> attempts.add(new Attempt<>(suite, subject, r)));
    }
    return attempts;
  }

  private <C extends Record & Case> List<Attempt<C>> attempts(OperatorSuite<C> suite) {
    List<Attempt<C>> attempts = new ArrayList<>();
    if (operator.equals(PROVIDER)) {
      return offers(suite);
    }
    for (Subject<C> subject : suite.subjects(target)) {
      if (Suite.declined(suite, subject, target).isEmpty()) {
        for (Rule<C> rule : suite.rules()) {
          if (rule.applies().test(subject.first())) {
            attempts.add(new Attempt<>(suite, subject, rule));
          }
        }
      }
    }
    return attempts;
  }
}

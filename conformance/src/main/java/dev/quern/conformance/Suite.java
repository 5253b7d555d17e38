package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.rules.Catalog;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.ProviderRules;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.Subject;
import dev.quern.spi.Availability;
import dev.quern.spi.Offer;
import dev.quern.spi.Spec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// The whole suite on one provider, without JUnit: what the command line runs and reports are made
/// of.
public final class Suite {
  private Suite() {}

  /// Runs everything.
  ///
  /// @param operators names of the operators to test; empty: all, and the provider itself
  /// @param progress is told each result as it comes
  public static SuiteResult run(
      Target target, Settings settings, Set<String> operators, Consumer<CellResult> progress) {
    Set<String> known =
        Catalog.operators().stream().map(OperatorSuite::name).collect(Collectors.toSet());
    if (!known.containsAll(operators)) {
      throw new IllegalArgumentException(
          "operators=%s, expected some of %s".formatted(operators, known));
    }
    List<CellResult> cells = new ArrayList<>();
    Consumer<CellResult> add =
        cell -> {
          cells.add(cell);
          progress.accept(cell);
        };
    Availability availability = target.provider().availability(target.platform());
    if (availability instanceof Availability.Ready) {
      if (settings.replay().isPresent()) {
        replay(target, settings).forEach(add);
      } else {
        if (operators.isEmpty()) {
          for (ProviderRules.ProviderRule rule : ProviderRules.whole()) {
            add.accept(check(rule, target, settings));
          }
        }
        for (OperatorSuite<?> suite : Catalog.operators()) {
          if (operators.isEmpty() || operators.contains(suite.name())) {
            run(suite, target, settings, add);
          }
        }
      }
    }
    return new SuiteResult(
        target.provider().name(), Spec.VERSION, target.platform(), availability, settings, cells);
  }

  private static List<CellResult> replay(Target target, Settings settings) {
    for (OperatorSuite<?> suite : Catalog.operators()) {
      Optional<? extends Replay<?>> replay = Replay.find(settings.replay().orElseThrow(), suite);
      if (replay.isPresent()) {
        return replay.get().run(target, settings);
      }
    }
    throw new IllegalArgumentException(
        "replay '%s': no such operator".formatted(settings.replay().orElseThrow()));
  }

  private static <C extends Record & Case> void run(
      OperatorSuite<C> suite, Target target, Settings settings, Consumer<CellResult> add) {
    for (Subject<C> subject : suite.subjects(target)) {
      for (Rule<C> rule : ProviderRules.offers(suite)) {
        new PropertyRunner<>(suite, subject, rule, target, settings).run().forEach(add);
      }
      Optional<String> declined = declined(suite, subject, target);
      for (Rule<C> rule : suite.rules()) {
        if (!rule.applies().test(subject.first())) {
          continue;
        }
        if (declined.isPresent()) {
          add.accept(declined(suite, subject, rule, declined.get()));
        } else {
          new PropertyRunner<>(suite, subject, rule, target, settings).run().forEach(add);
        }
      }
    }
  }

  /// Why the provider declines a subject, if it declines all of its edge cases.
  static <C extends Record & Case> Optional<String> declined(
      OperatorSuite<C> suite, Subject<C> subject, Target target) {
    String reason = "";
    for (C edge : subject.edges()) {
      try {
        if (!(suite.offer(edge, target) instanceof Offer.Declined<?> d)) {
          return Optional.empty();
        }
        reason = "declined: " + d.reason();
      } catch (RuntimeException e) {
        return Optional.empty(); // broken: the rules will say so
      }
    }
    return Optional.of(reason);
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

  /// A rule about the provider as a whole, as one case. What the provider throws breaks it.
  static CellResult check(ProviderRules.ProviderRule rule, Target target, Settings settings) {
    Outcome outcome;
    try {
      outcome = rule.check().check(target).outcome();
    } catch (RuntimeException e) {
      outcome = new Outcome.Fail("the provider", "an answer", "threw " + e);
    }
    Optional<Failure> failure =
        outcome instanceof Outcome.Fail f
            ? Optional.of(
                new Failure(
                    rule.id(),
                    SpecText.of(rule.id()),
                    target.provider().name(),
                    "provider",
                    target.provider().getClass().getName(),
                    f,
                    List.of(),
                    "",
                    "",
                    settings.seed()))
            : Optional.empty();
    return new CellResult(
        rule.id(),
        rule.name(),
        "provider",
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

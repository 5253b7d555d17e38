package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.Subject;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.DeclinedException;
import dev.quern.conformance.run.Memory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.Consumer;
import net.jqwik.api.RandomGenerator;
import net.jqwik.api.Shrinkable;

/// Checks one rule on one subject: on the fixed edge cases first, then on generated ones. A failure
/// is shrunk to a smaller case that breaks the same rule.
///
/// jqwik generates and shrinks; its engine, which would run methods as tests, is not used, so that
/// JUnit, the command line and the mutants' test drive the same code.
final class PropertyRunner<C extends Record & Case> {
  /// Cases that shrinking may try. Each step is greedy, so a few hundred reach the smallest.
  private static final int SHRINK_TRIES = 500;

  /// Where JUnit runs tests in parallel, the case in the file must be the one that is running.
  private static final Object ONE_BREADCRUMB = new Object();

  private final OperatorSuite<C> suite;
  private final Subject<C> subject;
  private final Rule<C> rule;
  private final Target target;
  private final Settings settings;
  private final Map<String, Tally> tallies = new LinkedHashMap<>();

  /// What is counted for a class of shapes.
  private static final class Tally {
    int passes;
    int failures;
    final Map<String, Integer> skips = new LinkedHashMap<>();
    double worst;
    String worstCase = "";
    Optional<Failure> first = Optional.empty();

    int tries() {
      return passes + failures + skips.values().stream().mapToInt(Integer::intValue).sum();
    }
  }

  PropertyRunner(
      OperatorSuite<C> suite, Subject<C> subject, Rule<C> rule, Target target, Settings settings) {
    this.suite = suite;
    this.subject = subject;
    this.rule = rule;
    this.target = target;
    this.settings = settings;
  }

  /// Tries all cases; one result for each class of shapes among them.
  List<CellResult> run() {
    List<C> failedEdges = new ArrayList<>();
    for (C edge : edges()) {
      if (count(edge) instanceof Outcome.Fail) {
        failedEdges.add(edge);
      }
    }
    int tries = tries();
    if (tries == 0) {
      failedEdges.stream().findFirst().ifPresent(c -> report(c, c));
    } else {
      generate(tries, failedEdges);
    }
    return results();
  }

  /// Tries the cases of [#run] in its order until one breaks the rule; how many that took, if one
  /// did. Nothing is shrunk.
  OptionalInt triesUntilFailure() {
    int[] tried = {0};
    boolean[] failed = {false};
    Consumer<C> attempt =
        c -> {
          tried[0]++;
          failed[0] = check(c) instanceof Outcome.Fail;
        };
    edges().stream().takeWhile(c -> !failed[0]).forEach(attempt);
    if (!failed[0] && tries() > 0) {
      drawn(tries()).stream().takeWhile(c -> !failed[0]).map(Drawn::value).forEach(attempt);
    }
    return failed[0] ? OptionalInt.of(tried[0]) : OptionalInt.empty();
  }

  /// How many cases [#run] tries.
  int cases() {
    return edges().size() + tries();
  }

  private List<C> edges() {
    return subject.edges().stream()
        .map(rule.shape())
        .distinct()
        .limit(rule.effort().edges())
        .toList();
  }

  private int tries() {
    return (int) Math.ceil(settings.tries() * rule.effort().share());
  }

  /// A generated case: what it is, and how it shrinks. Both are for a session to ask.
  private record Drawn<C>(C value, Shrinkable<C> shrinkable) {}

  private List<Drawn<C>> drawn(int tries) {
    List<Drawn<C>> drawn = new ArrayList<>();
    Sessions.run(() -> {
      RandomGenerator<C> generator =
          subject.cases().get().map(rule.shape()::apply).generator(1000, true);
      Random random =
          new Random(new Mix(settings.seed(), rule.testName() + subject.label()).next());
      for (int i = 0; i < tries; i++) {
        Shrinkable<C> next = generator.next(random);
        drawn.add(new Drawn<>(next.value(), next));
      }
    });
    return drawn;
  }

  private void generate(int tries, List<C> failedEdges) {
    boolean shrunk = false;
    for (Drawn<C> drawn : drawn(tries)) {
      if (count(drawn.value) instanceof Outcome.Fail && !shrunk) {
        Sessions.run(() -> report(shrink(drawn.shrinkable), drawn.value));
        shrunk = true;
      }
    }
    // Edge cases don't shrink; they are reported where no generated case fails.
    if (!shrunk && !failedEdges.isEmpty()) {
      report(failedEdges.getFirst(), failedEdges.getFirst());
    }
  }

  private C shrink(Shrinkable<C> failing) {
    int tries = 0;
    Shrinkable<C> smallest = failing;
    for (boolean smaller = true; smaller; ) {
      smaller = false;
      Iterator<Shrinkable<C>> candidates = smallest.shrink().iterator();
      while (!smaller && candidates.hasNext() && tries++ < SHRINK_TRIES) {
        Shrinkable<C> next = candidates.next();
        if (next.distance().compareTo(smallest.distance()) < 0
            && check(next.value()) instanceof Outcome.Fail) {
          smallest = next;
          smaller = true;
        }
      }
    }
    return smallest.value();
  }

  private void report(C smallest, C found) {
    // Checked once more: this one's values are what the report shows.
    if (check(smallest) instanceof Outcome.Fail fail) {
      tally(found).first = Optional.of(failure(smallest, found, fail));
    } else {
      var unstable = new Outcome.Fail("two runs", "the same outcome", "it failed once, then not");
      tally(found).first = Optional.of(failure(smallest, found, unstable));
    }
  }

  private Failure failure(C smallest, C found, Outcome.Fail fail) {
    return new Failure(
        rule.id(),
        SpecText.of(rule.id()),
        target.provider().name(),
        suite.name(),
        subject.label(),
        fail,
        fail.inputs().isEmpty() ? describe(smallest) : fail.inputs(),
        replay(smallest),
        replay(found),
        settings.seed());
  }

  private List<String> describe(C c) {
    try (Memory memory = new CanaryMemory()) {
      return suite.open(c, target, memory).describe();
    } catch (Exception e) {
      return List.of("operands can't be shown: " + e);
    }
  }

  private Outcome count(C c) {
    Outcome outcome = check(c);
    Tally tally = tally(c);
    double ratio =
        switch (outcome) {
          case Outcome.Pass p -> {
            tally.passes++;
            yield p.ratio();
          }
          case Outcome.Fail f -> {
            tally.failures++;
            yield f.ratio();
          }
          case Outcome.Skip s -> {
            tally.skips.merge(s.reason(), 1, Integer::sum);
            yield 0;
          }
        };
    if (ratio > tally.worst) {
      tally.worst = ratio;
      tally.worstCase = replay(c);
    }
    return outcome;
  }

  private Tally tally(C c) {
    return tallies.computeIfAbsent(c.shapeClass(), k -> new Tally());
  }

  /// Checks one case. What the kernel throws breaks the rule that was being checked.
  Outcome check(C c) {
    if (settings.breadcrumb().isPresent()) {
      synchronized (ONE_BREADCRUMB) {
        leaveBreadcrumb(settings.breadcrumb().get(), c);
        return outcome(c);
      }
    }
    return outcome(c);
  }

  private Outcome outcome(C c) {
    try {
      return rule.check().check(c, target, settings);
    } catch (DeclinedException e) {
      return new Outcome.Skip(e.getMessage());
    } catch (VirtualMachineError e) {
      throw e; // nothing to do with the case
    } catch (Throwable e) {
      StackTraceElement[] trace = e.getStackTrace();
      String at = trace.length == 0 ? "" : " at " + trace[0];
      return new Outcome.Fail("the call", "a result", "threw " + e + at);
    }
  }

  private void leaveBreadcrumb(Path file, C c) {
    try {
      Files.writeString(file, replay(c));
    } catch (IOException e) {
      throw new UncheckedIOException("breadcrumb " + file + " can't be written", e);
    }
  }

  private String replay(C c) {
    return rule.testName() + "/" + suite.name() + ":" + CaseText.write(c);
  }

  private List<CellResult> results() {
    return tallies.entrySet().stream()
        .map(e ->
            new CellResult(
                rule.id(),
                rule.name(),
                suite.name(),
                subject.label(),
                e.getKey(),
                e.getValue().tries(),
                e.getValue().passes,
                e.getValue().failures,
                e.getValue().skips,
                e.getValue().worst,
                e.getValue().worstCase,
                e.getValue().first))
        .toList();
  }
}

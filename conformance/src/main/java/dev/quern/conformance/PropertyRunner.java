package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.SmallerCase;
import dev.quern.conformance.judge.Lenience;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.Subject;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.DeclinedException;
import dev.quern.conformance.run.Hangs;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.NoEndException;
import dev.quern.conformance.run.Sessions;
import dev.quern.conformance.run.Thrown;
import dev.quern.conformance.run.Watchdog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Predicate;
import net.jqwik.api.Shrinkable;

/// Checks one rule on one subject: on the fixed edge cases first, then on generated ones. A failure
/// is shrunk to a smaller case that breaks the same rule. A case that does not end in the rule's
/// time breaks it too; it is not shrunk, and nothing more of the rule is tried.
///
/// jqwik generates and shrinks; its engine, which would run methods as tests, is not used, so that
/// JUnit, the command line and the mutants' test drive the same code.
final class PropertyRunner<C extends Record & Case> {
  /// Cases that shrinking may try. Each step is greedy, so a few hundred reach the smallest.
  private static final int SHRINK_TRIES = 500;

  /// How long it may shrink.
  private static final Duration SHRINK_TIME = Duration.ofSeconds(12);

  /// Where JUnit runs tests in parallel, the case in the file must be the one that is running.
  private static final Object ONE_BREADCRUMB = new Object();

  private final OperatorSuite<C> suite;
  private final Subject<C> subject;
  private final Rule<C> rule;
  private final Target target;
  private final Settings settings;
  private final Hangs hangs;
  private final Watchdog watchdog;
  private final RuleCases<C> cases;
  private final Map<String, Tally> tallies = new LinkedHashMap<>();

  /// Whether a case did not end.
  private boolean stuck;

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

  /// On its own: other rules' hangs are not known.
  PropertyRunner(
      OperatorSuite<C> suite, Subject<C> subject, Rule<C> rule, Target target, Settings settings) {
    this(suite, subject, rule, target, settings, new Hangs());
  }

  /// @param hangs those of the operator until now, to which this rule's are added
  PropertyRunner(
      OperatorSuite<C> suite,
      Subject<C> subject,
      Rule<C> rule,
      Target target,
      Settings settings,
      Hangs hangs) {
    this.suite = suite;
    this.subject = subject;
    this.rule = rule;
    this.target = target;
    this.settings = settings;
    this.hangs = hangs;
    this.cases = new RuleCases<>(subject, rule, settings);
    this.watchdog = new Watchdog(rule.testName() + " " + subject.label());
  }

  /// Tries all cases; one result for each class of shapes among them.
  List<CellResult> run() {
    try (watchdog) {
      Optional<String> leftOut = rule.effort().leftOut(settings.tries());
      if (leftOut.isPresent()) {
        tally(subject.first()).skips.put(leftOut.get(), 1);
      } else if (hangs.tooMany()) {
        tally(subject.first()).skips.put(hangs.reason(), 1);
      } else {
        tryAll();
      }
      return results();
    }
  }

  private void tryAll() {
    if (cases.atModelSizes()) {
      tryAtModelSizes();
      return;
    }
    Optional<Found<C>> failedEdge = firstFailure(cases.edges());
    int tries = cases.tries();
    boolean reported = tries > 0 && generate(tries);
    // Edge cases don't shrink; they are reported where no generated case fails.
    if (!reported && !stuck) {
      failedEdge.ifPresent(edge -> report(edge.value, edge.value, edge.fail));
    }
  }

  private void tryAtModelSizes() {
    Optional<Found<C>> first = firstFailure(cases.all()::iterator);
    if (!stuck) {
      first.ifPresent(f -> report(smaller(f.value), f.value, f.fail));
    }
  }

  /// A case that failed, and how.
  private record Found<C>(C value, Outcome.Fail fail) {}

  /// Tries them all.
  private Optional<Found<C>> firstFailure(Iterable<C> cases) {
    Optional<Found<C>> first = Optional.empty();
    for (C c : cases) {
      if (count(c) instanceof Outcome.Fail fail && first.isEmpty()) {
        first = Optional.of(new Found<>(c, fail));
      }
    }
    return first;
  }

  /// Tries the cases of [#run] in its order until one breaks the rule; how many that took, if one
  /// did. Nothing is shrunk.
  OptionalInt triesUntilFailure() {
    try (watchdog) {
      return untilFailure();
    }
  }

  private OptionalInt untilFailure() {
    int[] tried = {0};
    boolean[] failed = {false};
    Consumer<C> attempt =
        c -> {
          tried[0]++;
          failed[0] = check(c) instanceof Outcome.Fail;
        };
    cases.all().takeWhile(c -> !failed[0]).forEach(attempt);
    return failed[0] ? OptionalInt.of(tried[0]) : OptionalInt.empty();
  }

  /// How many cases [#run] tries.
  int cases() {
    return cases.count();
  }

  /// Whether one has failed, and is reported.
  private boolean generate(int tries) {
    boolean shrunk = false;
    for (RuleCases.Drawn<C> drawn : cases.drawn(tries)) {
      if (count(drawn.value()) instanceof Outcome.Fail fail && !shrunk && !stuck) {
        Sessions.run(() -> report(shrink(drawn.shrinkable()), drawn.value(), fail));
        shrunk = true;
      }
    }
    return shrunk;
  }

  private C smaller(C failing) {
    Predicate<C> fails = c -> check(c) instanceof Outcome.Fail;
    return new SmallerCase<>(subject.first(), fails, SHRINK_TIME).of(failing);
  }

  private C shrink(Shrinkable<C> failing) {
    long end = System.nanoTime() + SHRINK_TIME.toNanos();
    int tries = 0;
    Shrinkable<C> smallest = failing;
    for (boolean smaller = true; smaller; ) {
      smaller = false;
      Iterator<Shrinkable<C>> candidates = smallest.shrink().iterator();
      while (!smaller
          && candidates.hasNext()
          && tries++ < SHRINK_TRIES
          && System.nanoTime() < end) {
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

  private void report(C smallest, C found, Outcome.Fail foundAs) {
    // Checked once more: this one's values are what the report shows.
    if (check(smallest) instanceof Outcome.Fail fail) {
      tally(found).first = Optional.of(failure(smallest, found, fail));
    } else if (stuck) { // on the way to a smaller one
      tally(found).first = Optional.of(failure(found, found, foundAs));
    } else { // what it was the first time is what is known
      tally(found).first = Optional.of(failure(found, found, foundAs.once()));
    }
  }

  private Failure failure(C smallest, C found, Outcome.Fail fail) {
    String broken = fail.rule().isEmpty() ? rule.id() : fail.rule();
    return new Failure(
        broken,
        SpecText.of(broken),
        target.name(),
        suite.name(),
        subject.label(),
        fail,
        fail.inputs().isEmpty() ? describe(smallest) : fail.inputs(),
        replay(smallest),
        replay(found),
        settings.seed());
  }

  private List<String> describe(C c) {
    if (stuck) {
      return List.of(); // it may be what does not end
    }
    try {
      return watchdog.call(
          "the call",
          limit(),
          () -> {
            try (Memory memory = new CanaryMemory()) {
              return suite.open(c, target, memory).describe();
            }
          });
    } catch (Throwable e) {
      return List.of("operands can't be shown: it " + Thrown.text(e));
    }
  }

  private Duration limit() {
    return Lenience.patient(rule.effort().limit());
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
            if (stuck) { // this case: those after it are skipped
              tally.first = Optional.of(failure(c, c, f));
            }
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
    if (stuck) {
      return new Outcome.Skip("not tried: a case before it did not end");
    }
    try {
      return watchdog.call("the case", limit(), () -> judged(c));
    } catch (NoEndException e) {
      stuck = true;
      hangs.add();
      return new Outcome.Fail("the call", "an end", e.getMessage());
    } catch (Exception e) { // of who waits, and no word of the kernel
      throw new IllegalStateException("interrupted at " + replay(c), e);
    }
  }

  /// An error of the JVM is the case's as well: a stack that overflows is the kernel's doing, and
  /// memory that runs out is free again when the case has failed.
  private Outcome judged(C c) {
    try {
      return rule.check().check(c, target, settings.tries());
    } catch (DeclinedException e) {
      return new Outcome.Skip(e.getMessage());
    } catch (NoEndException e) {
      throw e;
    } catch (Throwable e) {
      return new Outcome.Fail("the call", "a result", Thrown.text(e));
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

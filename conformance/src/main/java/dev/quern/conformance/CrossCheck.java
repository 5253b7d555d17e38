package dev.quern.conformance;

import dev.quern.conformance.Comparison.Difference;
import dev.quern.conformance.Comparison.Most;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Subject;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.DeclinedException;
import dev.quern.conformance.run.Hangs;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.NoEndException;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.Sessions;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.conformance.run.Thrown;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import net.jqwik.api.RandomGenerator;

/// Runs two providers on the same cases, and finds where they differ most. Two providers that are
/// both within their bounds may still differ in how near they are to the truth.
///
/// @since 0.1
/// @stability api
public final class CrossCheck {
  /// The rule that every case may be replayed under.
  private static final String RULE = "P5";

  private final Target first;
  private final Target second;
  private final Settings settings;
  private final Hangs hangs = new Hangs();

  private CrossCheck(Target first, Target second, Settings settings) {
    this.first = first;
    this.second = second;
    this.settings = settings;
  }

  /// Compares on the edge cases and on `settings.tries()` generated cases of each subject, or on
  /// the one case that is to be replayed.
  ///
  /// @param selection of operators and subjects; rules are none here
  /// @param progress is told each difference as it comes
  /// @throws IllegalArgumentException if the case to be replayed can't be read
  public static Comparison run(
      Target first,
      Target second,
      Settings settings,
      Selection selection,
      Consumer<Difference> progress) {
    CrossCheck check = new CrossCheck(first, second, settings);
    List<Difference> differences = new ArrayList<>();
    for (OperatorSuite<?> suite : SuiteCatalog.operators()) {
      if (selection.operator(suite.name())) {
        check.compare(
            suite,
            selection,
            difference -> {
              differences.add(difference);
              progress.accept(difference);
            });
      }
    }
    return new Comparison(first.name(), second.name(), settings, differences);
  }

  private <C extends Record & Case> void compare(
      OperatorSuite<C> suite, Selection selection, Consumer<Difference> found) {
    if (settings.replay().isPresent()) {
      Replay.find(settings.replay().get(), suite)
          .ifPresent(r -> found.accept(compare(suite, "replay", List.of(r.value()))));
      return;
    }
    List<Subject<C>> others = suite.subjects(second);
    for (Subject<C> subject : suite.subjects(first)) {
      if (!selection.subject(subject.label())) {
        continue;
      }
      Set<C> cases = new LinkedHashSet<>(subject.edges());
      others.stream()
          .filter(s -> s.label().equals(subject.label()))
          .forEach(s -> cases.addAll(s.edges()));
      generate(suite, subject, cases);
      found.accept(compare(suite, subject.label(), cases));
    }
  }

  private <C extends Record & Case> void generate(
      OperatorSuite<C> suite, Subject<C> subject, Set<C> cases) {
    Sessions.run(() -> {
      RandomGenerator<C> generator = subject.cases().get().generator(1000, true);
      Random random =
          new Random(new Mix(settings.seed(), "compare " + suite.name() + subject.label()).next());
      for (int i = 0; i < settings.tries(); i++) {
        cases.add(generator.next(random).value());
      }
    });
  }

  private <C extends Record & Case> Difference compare(
      OperatorSuite<C> suite, String label, Iterable<C> cases) {
    Tally tally = new Tally();
    for (C c : cases) {
      if (tally.stuck || hangs.tooMany()) {
        tally.broken(hangs.reason());
        break;
      }
      String replay = String.format(Locale.ROOT, "%s/%s:%s", RULE, suite.name(), CaseText.write(c));
      Optional<Judgement> a = judged(suite, c, first, tally, replay);
      Optional<Judgement> b = judged(suite, c, second, tally, replay);
      if (a.isPresent() && b.isPresent()) {
        tally.cases++;
        tally.firstWorst = Math.max(tally.firstWorst, a.get().worst());
        tally.secondWorst = Math.max(tally.secondWorst, b.get().worst());
        tally.most(most(a.get(), b.get(), replay));
      }
    }
    return new Difference(
        suite.name(),
        label,
        tally.cases,
        tally.declined,
        tally.firstWorst,
        tally.secondWorst,
        Optional.ofNullable(tally.most),
        Optional.ofNullable(tally.broken));
  }

  private static final class Tally {
    int cases;
    String declined = "";
    boolean stuck;
    double firstWorst;
    double secondWorst;
    Most most;
    String broken;

    void most(Most other) {
      if (other.ratio() > (most == null ? 0 : most.ratio())) {
        most = other;
      }
    }

    void broken(String what) {
      broken = broken == null ? what : broken;
    }
  }

  private <C extends Record & Case> Optional<Judgement> judged(
      OperatorSuite<C> suite, C c, Target target, Tally tally, String replay) {
    String name = target.name();
    try {
      Judgement verdict = Suite.ask("the call", () -> verdict(suite, c, target));
      if (verdict.outcome() instanceof Outcome.Fail fail) {
        tally.broken(
            String.format(
                Locale.ROOT,
                "%s is out of its bound at %s: expected %s, actual %s; replay %s",
                name,
                fail.where(),
                fail.expected(),
                fail.actual(),
                replay));
      }
      return Optional.of(verdict);
    } catch (DeclinedException e) {
      if (tally.declined.isEmpty()) {
        tally.declined = name + " " + e.getMessage();
      }
    } catch (NoEndException e) {
      hangs.add();
      tally.stuck = true;
      tally.broken(String.format(Locale.ROOT, "%s: %s; replay %s", name, e.getMessage(), replay));
    } catch (Throwable e) {
      tally.broken(String.format(Locale.ROOT, "%s %s; replay %s", name, Thrown.text(e), replay));
    }
    return Optional.empty();
  }

  private static <C extends Record & Case> Judgement verdict(
      OperatorSuite<C> suite, C c, Target target) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Run run = suite.open(c, target, memory);
      return run.withinBounds(run.call(workers, Prefill.NAN));
    }
  }

  /// What must be exact, such as what attention appends to a cache, has no elements here: there
  /// each result alone is right or wrong.
  private static Most most(Judgement a, Judgement b, String replay) {
    List<Judgement.Element> as = a.elements();
    List<Judgement.Element> bs = b.elements();
    Most most = new Most(0, "", 0, 0, 0, 0, replay);
    for (int i = 0; i < Math.min(as.size(), bs.size()); i++) {
      Judgement.Element x = as.get(i);
      Judgement.Element y = bs.get(i);
      double bound = Math.max(x.bound(), y.bound());
      double difference = Math.abs((double) x.actual() - y.actual());
      double ratio =
          Float.compare(x.actual(), y.actual()) == 0 || difference == 0
              ? 0
              : Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference / bound;
      if (ratio > most.ratio()) {
        most = new Most(ratio, x.where(), x.expected(), x.actual(), y.actual(), bound, replay);
      }
    }
    return most;
  }
}

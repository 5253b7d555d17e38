package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.GuardPages;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Rule P5 at the size of models: every call that the specification allows. To make the operands
/// and to pack the weights takes longer than a call, so one case is looked at in all ways at once,
/// and a failure names the rule that is broken.
///
/// @param rowsRule the operator's rule that rows are independent: `L4`
/// @param nonFinite its rules about NaN and infinities
record ModelSizeRule<C extends Record & Case>(
    OperatorSuite<C> suite, String rowsRule, List<Rule<C>> nonFinite) {
  private static final int MOST_WORKERS = 64;

  /// Rows of a batch that are compared with the same row alone: the first, the last, and drawn
  /// ones.
  private static final int FIRST_ROWS = 4;

  private static final int DRAWN_ROWS = 3;

  Outcome check(C c, Candidate target) throws Exception {
    Outcome outcome = finite(c, target);
    for (Rule<C> rule : nonFinite) {
      if (outcome instanceof Outcome.Pass && rule.applies().test(c)) {
        outcome =
            switch (rule.check().check(c, target)) {
              case Outcome.Fail fail -> fail.of(rule.id());
              default -> outcome;
            };
      }
    }
    return outcome;
  }

  private Outcome finite(C c, Candidate target) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Run run = suite.open(c, target, memory);
      byte[] result = run.call(workers, Prefill.NAN);
      Optional<Outcome.Fail> stray = strayAccess(run);
      if (stray.isPresent()) {
        return stray.get();
      }
      Judgement bounds = run.withinBounds(result);
      if (bounds.outcome() instanceof Outcome.Fail fail) {
        return fail.of(run.boundRule());
      }
      Judgement verdict = rowsAlone(c, run, result, workers);
      if (verdict.outcome() instanceof Outcome.Fail fail) {
        return fail.of(rowsRule);
      }
      return otherwise(c, target, run, result).orElseGet(bounds::outcome);
    }
  }

  /// What the last call changed that it must not, before anything is restored.
  private static Optional<Outcome.Fail> strayAccess(Run run) {
    return run.changedInput()
        .map(i -> changed(i, "P8"))
        .or(() -> run.strayWrite().map(o -> changed(o, "P7")))
        .or(() -> run.overrun(false).map(o -> changed(o, "P7")))
        .or(() -> run.overrun(true).map(o -> changed(o, "P10")));
  }

  private static Outcome.Fail changed(String what, String rule) {
    return new Outcome.Fail(what, "unchanged", "written to").of(rule);
  }

  /// Other workers, and at the same time operands that lie beside a guard page: only if something
  /// differs is it asked which of both it was.
  private Optional<Outcome> otherwise(C c, Candidate target, Run run, byte[] result) {
    Mix mix = new Mix(c.seed(), "other schedule");
    Schedule.Order[] orders = Schedule.Order.values();
    Schedule other = new Schedule(1 + mix.below(MOST_WORKERS), orders[mix.below(orders.length)]);
    String os = target.platform().os();
    boolean guards = GuardPages.supported(os);
    try (TestWorkers workers = TestWorkers.of(other, c.seed())) {
      Judgement guarded = new Judgement();
      if (guards) {
        try (Memory memory = new GuardPages(os, GuardPages.Side.END)) {
          byte[] beside = suite.open(c, target, memory).call(workers, Prefill.NAN);
          same(guarded, "beside a guard page, workers " + other, run, result, beside);
        }
        if (guarded.outcome() instanceof Outcome.Pass) {
          return Optional.empty();
        }
      }
      Judgement scheduled = new Judgement();
      same(scheduled, "workers " + other, run, result, run.call(workers, Prefill.NAN));
      if (scheduled.outcome() instanceof Outcome.Fail fail) {
        return Optional.of(fail.of("P11"));
      }
      return guarded.outcome() instanceof Outcome.Fail fail
          ? Optional.of(fail.of("P7"))
          : Optional.empty();
    }
  }

  private static <C extends Case> Judgement rowsAlone(
      C c, Run run, byte[] result, TestWorkers workers) {
    Judgement verdict = new Judgement();
    boolean bits = run.variant(1).equals(run.variant(c.rows()));
    for (int r : c.rows() == 1 ? Set.<Integer>of() : someRows(c)) {
      Run alone = run.row(r);
      byte[] row = alone.call(workers, Prefill.NAN);
      if (bits) {
        same(verdict, "row " + r + " alone", run, run.rowOf(result, r), row);
      } else {
        verdict.add(alone.withinBounds(row));
      }
    }
    return verdict;
  }

  private static Set<Integer> someRows(Case c) {
    Mix mix = new Mix(c.seed(), "rows alone");
    Set<Integer> rows = new TreeSet<>();
    for (int r = 0; r < Math.min(FIRST_ROWS, c.rows()); r++) {
      rows.add(r);
    }
    rows.add(c.rows() - 1);
    for (int i = 0; i < DRAWN_ROWS; i++) {
      rows.add(mix.below(c.rows()));
    }
    return rows;
  }

  private static void same(
      Judgement verdict, String when, Run run, byte[] expected, byte[] actual) {
    if (!Arrays.equals(expected, actual)) {
      Calls.same(verdict, when, run, expected, actual); // other NaN are no difference
    }
  }
}

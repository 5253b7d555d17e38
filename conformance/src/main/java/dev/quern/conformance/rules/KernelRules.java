package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.op.Numerics;
import dev.quern.spi.Variant;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// The rules of section P that hold for the kernels of every operator. They need no more than a
/// [Run].
public final class KernelRules {
  /// Rows of a batch that are compared with the same row alone.
  private static final int ROWS_ALONE = 4;

  private KernelRules() {}

  /// @param rowsRule the operator's rule that rows are independent: `L4`
  /// @param nonFinite its rules about NaN and infinities
  public static <C extends Record & Case> List<Rule<C>> of(
      OperatorSuite<C> suite, String rowsRule, List<Rule<C>> nonFinite) {
    MemoryRules<C> memory = new MemoryRules<>(suite);
    ScheduleRules<C> schedules = new ScheduleRules<>(suite);
    ThreadRules<C> threads = new ThreadRules<>(suite);
    HeldCallsRule<C> held = new HeldCallsRule<>(suite);
    OwnThreadsRules<C> ownThreads = new OwnThreadsRules<>(suite);
    FailureRules<C> failures = new FailureRules<>(suite);
    AllocationRule<C> allocation = new AllocationRule<>(suite);
    List<Rule<C>> rules =
        List.of(
            Rule.<C>of(rowsRule, "batch_equals_rows", (c, t) -> batchEqualsRows(suite, c, t))
                .effort(Rule.Effort.HALF),
            Rule.<C>of("P5", "runs_what_it_accepts", (c, t) -> runs(suite, c, t)),
            Rule.<C>of("P5", "model_sizes", new ModelSizeRule<>(suite, rowsRule, nonFinite)::check)
                .in(Rule.Space.MODEL_SIZES)
                .effort(Rule.Effort.MODEL_SIZES),
            Rule.<C>of("P6", "declared_numerics", (c, t) -> numerics(suite, c, t))
                .effort(Rule.Effort.LOW),
            Rule.<C>of("P7", "stays_in_bounds", memory::staysInBounds),
            Rule.<C>of("P7", "wide_strides", memory::wideStrides)
                .on(suite::wide)
                .effort(Rule.Effort.SOME),
            Rule.<C>of("P7", "one_buffer", memory::oneBuffer).effort(Rule.Effort.SOME),
            Rule.<C>of("P7", "large_operands", memory::largeOperands)
                .on(suite::large)
                .effort(Rule.Effort.HEAVY),
            Rule.<C>of("P8", "inputs_unchanged", memory::inputsUnchanged).effort(Rule.Effort.HALF),
            Rule.<C>of("P9", "ignores_what_was_there", memory::ignoresWhatWasThere)
                .effort(Rule.Effort.HALF),
            Rule.<C>of("P10", "scratch", memory::scratch).effort(Rule.Effort.HALF),
            Rule.<C>of("P10", "scratch_of_models", memory::scratchOfModels)
                .on(suite::huge)
                .effort(Rule.Effort.HEAVY),
            Rule.<C>of("P10", "more_scratch", memory::moreScratch).effort(Rule.Effort.SOME),
            Rule.<C>of("P11", "own_scratch", new ScratchRule<>(suite)::check)
                .effort(Rule.Effort.HALF),
            Rule.<C>of("P11", "any_schedule", schedules::anySchedule).effort(Rule.Effort.HALF),
            Rule.<C>of("P11", "worker_counts", schedules::anyCount).effort(Rule.Effort.ALL_WORKERS),
            Rule.<C>of("P11", "many_tasks", schedules::anyCount)
                .on(suite::manyTasks)
                .effort(Rule.Effort.ALL_WORKERS),
            Rule.<C>of("P11", "long_rows", schedules::anyCount)
                .on(StateRules::longRow)
                .effort(Rule.Effort.ONE_CASE),
            Rule.<C>of("P12", "two_threads", threads::twoThreads).effort(Rule.Effort.LOW),
            Rule.<C>of("P12", "no_call_waits", held::check).effort(Rule.Effort.LOW),
            Rule.<C>of("P13", "callers_threads", ownThreads::callersThreads)
                .effort(Rule.Effort.LOW),
            Rule.<C>of("P13", "callers_thread_alone", ownThreads::callersThreadAlone)
                .effort(Rule.Effort.HALF),
            Rule.<C>of("P13", "many_tasks_alone", ownThreads::callersThreadAlone)
                .on(suite::manyTasks)
                .effort(new Rule.Effort(3, 0.05)),
            Rule.<C>of("P13", "long_rows_alone", ownThreads::callersThreadAlone)
                .on(StateRules::longRow)
                .effort(Rule.Effort.ONE_CASE),
            Rule.<C>of("P14", "allocation", allocation::check).effort(Rule.Effort.THREE_CASES),
            Rule.<C>of("P14", "large_calls", allocation::check)
                .on(suite::large)
                .effort(Rule.Effort.TWO_HEAVY),
            Rule.<C>of("P14", "long_rows", allocation::check)
                .on(StateRules::longRow)
                .effort(Rule.Effort.ONE_CASE),
            Rule.<C>of("P21", "any_calls", new InvarianceRule<>(suite)::check)
                .effort(Rule.Effort.HALF),
            Rule.<C>of("P18", "failing_workers", failures::failingWorkers).effort(Rule.Effort.LOW),
            Rule.<C>of("P18", "failing_tasks", failures::failingTasks).effort(Rule.Effort.LOW));
    return Stream.of(rules, StateRules.of(suite), SoakRules.of(suite))
        .flatMap(List::stream)
        .toList();
  }

  private static <C extends Record & Case> Outcome runs(
      OperatorSuite<C> suite, C c, Candidate target) {
    return Calls.judge(
        suite, c, target, (run, workers) -> run.withinBounds(run.call(workers, Prefill.NAN)));
  }

  private static <C extends Record & Case> Outcome batchEqualsRows(
      OperatorSuite<C> suite, C c, Candidate target) {
    return Calls.judge(
        suite,
        c,
        target,
        (run, workers) -> {
          byte[] batch = run.call(workers, Prefill.NAN);
          Judgement verdict = new Judgement();
          boolean bits = run.variant(1).equals(run.variant(c.rows()));
          if (!bits) {
            verdict.add(run.withinBounds(batch));
          }
          int step = Math.max(1, c.rows() / ROWS_ALONE);
          for (int r = c.rows() - 1; r >= 0; r -= step) {
            Run alone = run.row(r);
            byte[] row = alone.call(workers, Prefill.NAN);
            if (bits) {
              Calls.same(verdict, "row " + r + " alone", run, run.rowOf(batch, r), row);
            } else {
              verdict.add(alone.withinBounds(row));
            }
          }
          return verdict;
        });
  }

  private static <C extends Record & Case> Outcome numerics(
      OperatorSuite<C> suite, C c, Candidate target) {
    return Calls.judge(
        suite,
        c,
        target,
        (run, workers) -> {
          Set<Numerics> permitted = run.permitted();
          Judgement verdict = run.withinBounds(run.call(workers, Prefill.NAN));
          for (Variant v : run.variants()) {
            if (!permitted.contains(v.numerics())) {
              verdict.fail("variant " + v.name(), permitted.toString(), v.numerics().id());
            }
          }
          return verdict;
        });
  }
}

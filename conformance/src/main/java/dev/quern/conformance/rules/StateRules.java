package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Change;
import dev.quern.conformance.run.DeclinedException;
import dev.quern.conformance.run.FailingWorkers;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.ReusedMemory;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.SuiteThreads;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// Rules P12, P15 and P18, on kernels that remember: what a call writes depends on its own operands
/// and on packed weights, and on nothing that was before.
public record StateRules<C extends Record & Case>(OperatorSuite<C> suite) {

  static <C extends Record & Case> List<Rule<C>> of(OperatorSuite<C> suite) {
    StateRules<C> rules = new StateRules<>(suite);
    return List.of(
        rules.rule("P12", "same_addresses", rules::sameAddresses),
        rules.rule("P12", "kernels_of_one_spec", rules::kernelsOfOneSpec),
        rules.rule("P12", "shared_buffers", rules::sharedBuffers),
        rules.rule("P12", "kernels_of_other_specs", rules::kernelsOfOtherSpecs),
        rules
            .rule("P12", "large_kernels", rules::few)
            .on(StateRules::longRow)
            .effort(Rule.Effort.LARGE_KERNELS),
        rules.rule("P15", "moved", rules::moved),
        rules
            .rule("P15", "long_rows_moved", rules::moved)
            .on(StateRules::longRow)
            .effort(Rule.Effort.ONE_CASE),
        rules.rule("P18", "after_a_failure", rules::afterFailure));
  }

  private Rule<C> rule(String id, String name, Rule.Check<C> check) {
    return Rule.of(id, name, Calls.ifRight(suite, check)).effort(Rule.Effort.LOW);
  }

  /// What is left of the first edge cases is one case.
  public static <C extends Record & Case> C longRow(C c) {
    return CaseText.with(c, c.longRow() + ",seed=1");
  }

  /// The checks that need few rows, on one case.
  private Outcome few(C c, Candidate target) {
    Outcome same = sameAddresses(c, target);
    return same instanceof Outcome.Fail ? same : sharedBuffers(c, target);
  }

  /// Operands whose content changes between calls, and their addresses do not: one operand at a
  /// time, all of it and four bytes of it, each time there and back. Scratch is the same and holds
  /// what the call before left there.
  private Outcome sameAddresses(C c, Candidate target) {
    return Calls.judge(
        suite,
        c,
        target,
        (run, workers) -> {
          Judgement verdict = new Judgement();
          Run same = run.sibling(c.seed());
          Run other = run.sibling(c.seed() + 1);
          Workspace w = run.prepare(workers, Prefill.NAN);
          byte[] first = Calls.with(run, run, w);
          verdict.add("the first call", run.withinBounds(first));
          for (Change change : run.changes(other)) {
            run.take(change, other);
            byte[] changed = Calls.with(run, run, w);
            if (change.part() != Change.Part.NAN) {
              verdict.add(change + ", at the same address", run.withinBounds(changed));
            }
            run.take(new Change(change.operand(), Change.Part.WHOLE), same);
            Calls.same(verdict, change + ", and back", run, first, Calls.with(run, run, w));
          }
          verdict.add("all operands changed", other.withinBounds(Calls.with(other, run, w)));
          Calls.same(
              verdict, "all operands changed, and back", run, first, Calls.with(run, run, w));
          return verdict;
        });
  }

  /// Several kernels of one spec, each with its own operands, and two calls of two of them. All are
  /// there before the first call, as a model's layers are; then they are called in turns, and by
  /// two threads in turns.
  private Outcome kernelsOfOneSpec(C c, Candidate target) throws Exception {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed());
        ExecutorService other =
            Executors.newSingleThreadExecutor(r -> SuiteThreads.unstarted("the other thread", r))) {
      List<Run> runs = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        runs.add(suite.open(seeded(c, c.seed() + i), target, memory));
      }
      runs.add(runs.get(0).sibling(c.seed() + 3));
      runs.add(runs.get(1).sibling(c.seed() + 3));
      Judgement verdict = new Judgement();
      List<Known> calls = new ArrayList<>();
      for (int i = runs.size() - 1; i >= 0; i--) {
        String name =
            i < 3
                ? "kernel " + (i + 1) + " of one spec"
                : "kernel " + (i - 2) + " of one spec, with other operands";
        calls.add(Known.of(name, runs.get(i), workers, verdict));
      }
      calls.forEach(k -> k.again("after the others", workers, verdict));
      calls.forEach(k -> on(other, () -> k.again("on another thread", workers, verdict)));
      Run late = suite.open(seeded(c, c.seed() + 4), target, memory);
      calls.add(
          Known.of("kernel 4 of one spec, after calls of the others", late, workers, verdict));
      for (int i = 0; i < calls.size(); i++) {
        Known call = calls.get(3 * i % calls.size()); // 6 calls, in pairs
        Known next = calls.get((3 * i + 1 + i / 2) % calls.size());
        call.again("when another thread called another", workers, verdict);
        on(other, () -> next.again("on another thread, in turns", workers, verdict));
      }
      return verdict.outcome();
    }
  }

  private static void on(ExecutorService thread, Runnable body) {
    CompletableFuture.runAsync(body, thread).join();
  }

  private C seeded(C c, long seed) {
    return CaseText.with(c, "seed=" + seed);
  }

  /// Two kernels of one spec in turns on the same buffers, scratch among them, which holds what the
  /// call before left there: a batch, a row alone, more rows, each with something else in it.
  private Outcome sharedBuffers(C c, Candidate target) {
    try (Memory memory = new ReusedMemory(new CanaryMemory());
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Run first = suite.open(c, target, memory);
      Run second = suite.open(seeded(c, c.seed() + 1), target, memory);
      List<Run> runs =
          List.of(
              first.next(c.rows() + 3, 0, c.seed() + 2, memory),
              second.sibling(c.seed() + 2),
              first,
              second,
              second.next(1, 0, c.seed() + 3, memory),
              first.next(1, 0, c.seed() + 4, memory));
      long bytes =
          runs.stream()
              .mapToLong(r -> r.kernel().scratchBytes(r.rows(), workers.parallelism()))
              .max()
              .orElseThrow();
      MemorySegment scratch =
          memory.allocate("scratch", bytes, Workspace.SCRATCH_ALIGNMENT).fill((byte) 0xff);
      Workspace w = new Workspace(scratch, workers);
      Judgement verdict = new Judgement();
      List<byte[]> results = new ArrayList<>();
      for (int i = 0; i < runs.size(); i++) {
        byte[] result = Calls.with(runs.get(i), runs.get(i), w);
        verdict.add("call " + i + " in the same buffers", runs.get(i).withinBounds(result));
        results.add(result);
      }
      for (int i : new int[] {3, 2, 5, 4, 0, 1, 3, 5, 2}) {
        byte[] result = Calls.with(runs.get(i), runs.get(i), w);
        Calls.same(
            verdict, "call " + i + ", again after others", runs.get(i), results.get(i), result);
      }
      return verdict.outcome();
    }
  }

  /// Kernels of specs that differ in one thing from the case's, alive at the same time, and called
  /// on the same buffers.
  private Outcome kernelsOfOtherSpecs(C c, Candidate target) {
    try (Memory memory = new ReusedMemory(new CanaryMemory());
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Judgement verdict = new Judgement();
      List<Known> calls = new ArrayList<>();
      calls.add(Known.of("the first kernel", suite.open(c, target, memory), workers, verdict));
      for (String change : c.otherSpecs()) {
        try {
          Run other = suite.open(CaseText.with(c, change), target, memory);
          calls.add(Known.of("a kernel with " + change, other, workers, verdict));
        } catch (DeclinedException e) {
          continue; // then there is none that it could be mixed up with
        }
      }
      calls.reversed().forEach(k -> k.again("after those of other specs", workers, verdict));
      return verdict.outcome();
    }
  }

  /// A call of [#moved].
  ///
  /// @param more by how much strides and positions exceed the case's
  private record Step(int rows, int more, long seed, Schedule schedule) {}

  /// Each call has its operands at other addresses, in memory that is freed after it: with more
  /// rows than before, then with fewer, with other strides, positions and numbers of workers. The
  /// last one is the first one again.
  private Outcome moved(C c, Candidate target) {
    try (Memory memory = new CanaryMemory()) {
      Run kept = suite.open(c, target, memory);
      int rows = c.rows();
      List<Step> steps =
          List.of(
              new Step(rows, 0, c.seed(), Schedule.ONE),
              new Step(2 * rows + 31, 7, c.seed() + 1, new Schedule(5, Schedule.Order.REVERSED)),
              new Step(1, 2, c.seed() + 2, new Schedule(2, Schedule.Order.SEQUENTIAL)),
              new Step(rows + 3, 1, c.seed() + 3, new Schedule(9, Schedule.Order.SHUFFLED)),
              new Step(rows, 0, c.seed() + 4, Schedule.ONE),
              new Step(rows, 0, c.seed(), c.schedule()));
      Judgement verdict = new Judgement();
      byte[] first = null;
      for (Step step : steps) {
        try (Memory there = new CanaryMemory();
            TestWorkers workers = TestWorkers.of(step.schedule, c.seed())) {
          Run run = kept.next(step.rows, step.more, step.seed, there);
          byte[] result = run.call(workers, Prefill.NAN);
          verdict.add(step.toString(), run.withinBounds(result));
          first = first == null ? result : first;
          if (step == steps.getLast()) {
            Calls.same(verdict, "the first call again, at other addresses", run, first, result);
          }
        }
      }
      return verdict.outcome();
    }
  }

  /// After workers have failed, at the first of a call's tasks, in the middle and at the last,
  /// calls with other operands and other rows are right, and that of the failed one too.
  private Outcome afterFailure(C c, Candidate target) {
    try (Memory memory = new CanaryMemory()) {
      Run run = suite.open(c, target, memory);
      Workers workers = Workers.sequential();
      Judgement verdict = new Judgement();
      List<Known> calls =
          List.of(
              Known.of("other operands", run.sibling(c.seed() + 1), workers, verdict),
              Known.of(
                  "more rows",
                  run.next(2 * c.rows() + 1, 3, c.seed() + 2, memory),
                  workers,
                  verdict),
              Known.of("the call that failed", run, workers, verdict));
      FailingWorkers failing = new FailingWorkers(1);
      run.call(failing, Prefill.NAN);
      List<FailingWorkers.Place> places = failing.places();
      if (places.isEmpty()) {
        return new Outcome.Skip("the kernel hands out no tasks");
      }
      for (int at : new int[] {0, places.size() / 2, places.size() - 1}) {
        IllegalStateException failure = new IllegalStateException("a worker failed");
        failing.failAt(places.get(at), failure);
        try {
          run.call(failing, Prefill.NAN);
        } catch (IllegalStateException e) {
          if (e != failure) {
            throw e;
          }
        }
        calls.forEach(
            k -> k.again("after workers that failed: " + places.get(at), workers, verdict));
      }
      return verdict.outcome();
    }
  }
}

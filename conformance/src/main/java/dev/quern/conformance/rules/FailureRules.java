package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.FailingWorkers;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.Thrown;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/// Rule P18: what a task throws leaves the call as it is, whatever it is, and nothing is left
/// behind that a later call would notice.
public record FailureRules<C extends Record & Case>(OperatorSuite<C> suite) {
  private static final int SEVERAL = 5;

  /// One worker, and several.
  public static final List<Integer> PARALLELISM = List.of(1, SEVERAL);

  /// What comes out of workers: a defect, a pool that is closed, a file that is gone under a
  /// mapping, and errors of the JVM.
  private static final List<Supplier<Throwable>> FAILURES =
      List.of(
          () -> new IllegalStateException("a task failed"),
          () -> new RejectedExecutionException("the pool is closed"),
          () -> new UncheckedIOException(new IOException("a file is gone")),
          () -> new StackOverflowError("of a task"),
          () -> new OutOfMemoryError("of a task"),
          () -> new InternalError("of a task"),
          () -> new AssertionError("of a task"));

  /// Workers that fail at one task, in each run of a call. The failure must come out as it is; the
  /// next call on the same workspace must be right, and so must one with other operands.
  Outcome failingWorkers(C c, Candidate target) {
    try (Memory memory = new CanaryMemory()) {
      Run run = suite.open(c, target, memory);
      Run other = run.sibling(c.seed() + 1);
      byte[] expected = run.call(Workers.sequential(), Prefill.NAN);
      byte[] otherwise = other.call(Workers.sequential(), Prefill.NAN);
      Judgement verdict = new Judgement();
      Mix mix = new Mix(c.seed(), CaseText.write(c));
      boolean tasks = false;
      for (int parallelism : PARALLELISM) {
        FailingWorkers workers = new FailingWorkers(parallelism);
        Workspace w = run.prepare(workers, Prefill.NAN);
        run.again(w);
        for (FailingWorkers.Place place : workers.places()) {
          tasks = true;
          Throwable failure = failure(mix);
          workers.failAt(place, failure);
          run.restore(Prefill.NAN);
          letsOut(failure, place.toString(), () -> run.again(w), verdict);
          workers.failNoMore();
          run.restore(Prefill.NAN);
          run.again(w);
          Calls.same(verdict, "the call after a failure at " + place, run, expected, run.result());
        }
        byte[] after = other.call(workers, Prefill.NAN);
        Calls.same(verdict, "other operands after failures", other, otherwise, after);
      }
      return tasks ? verdict.outcome() : new Outcome.Skip("the kernel hands out no tasks");
    }
  }

  /// Tasks that fail on their way: all memory is the calling thread's, and one task runs on
  /// another. What it throws there must come out of the call. A kernel that touches memory past
  /// Java's eyes is not kept from it, and then its result must be right.
  Outcome failingTasks(C c, Candidate target) {
    C alone = Calls.onOneThread(c);
    try (Memory memory = new CanaryMemory(Arena.ofConfined())) {
      Run run = suite.open(alone, target, memory);
      byte[] expected = run.call(Workers.sequential(), Prefill.NAN);
      Judgement verdict = new Judgement();
      FailingWorkers workers = new FailingWorkers(SEVERAL);
      Workspace w = run.prepare(workers, Prefill.NAN);
      run.again(w);
      List<FailingWorkers.Place> places = workers.places();
      for (FailingWorkers.Place place : places) {
        workers.runElsewhere(place);
        run.restore(Prefill.NAN);
        try {
          run.again(w);
          if (workers.thrown().isPresent()) {
            verdict.fail(
                place.toString(),
                workers.thrown().get() + " from the call",
                "returned as if nothing had happened");
          }
          Calls.same(verdict, place + " on another thread", run, expected, run.result());
        } catch (Throwable e) {
          if (e != workers.thrown().orElse(null)) {
            throw e;
          }
        }
        workers.failNoMore();
        run.restore(Prefill.NAN);
        run.again(w);
        Calls.same(verdict, "the call after a failure at " + place, run, expected, run.result());
      }
      return places.isEmpty()
          ? new Outcome.Skip("the kernel hands out no tasks")
          : verdict.outcome();
    }
  }

  /// A failure of the workers, one of all kinds.
  public static Throwable failure(Mix mix) {
    return FAILURES.get(mix.below(FAILURES.size())).get();
  }

  /// The failure must leave the call as it is.
  public static void letsOut(Throwable failure, String where, Runnable call, Judgement verdict) {
    String expected = failure + " from the call";
    try {
      call.run();
      verdict.fail(where, expected, "returned as if nothing had happened");
    } catch (Throwable e) {
      if (e != failure) {
        verdict.fail(where, expected, Thrown.text(e));
      }
    }
  }
}

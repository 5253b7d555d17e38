package dev.quern.conformance.rules;

import dev.quern.conformance.Outcome;
import dev.quern.conformance.Target;
import dev.quern.conformance.Verdict;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.Task;
import dev.quern.data.Workers;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Phaser;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/// Rules P11 to P13 and P18: schedules, shared kernels, whose threads run, failures.
record ThreadRules<C extends Record & Case>(OperatorSuite<C> suite) {

  /// The orders that rule P11 compares with one worker.
  private static final List<Schedule> SCHEDULES =
      List.of(
          new Schedule(1, Schedule.Order.REVERSED),
          new Schedule(3, Schedule.Order.REVERSED),
          new Schedule(4, Schedule.Order.SHUFFLED),
          new Schedule(7, Schedule.Order.ODD_FIRST),
          new Schedule(2, Schedule.Order.SEQUENTIAL),
          new Schedule(6, Schedule.Order.THREADS));

  /// Calls of each of two threads that share a kernel.
  private static final int SHARED_CALLS = 20;

  /// Calls in which a thread must be started each time before a kernel is said to start threads:
  /// other threads of the JVM begin meanwhile, and many where JUnit runs tests in parallel. A
  /// kernel that starts one for each call is found however many there are.
  private static final int THREAD_CALLS = 200;

  /// How long a call may take before its tasks are taken to wait for each other. No case is so
  /// large.
  private static final Duration STUCK = Duration.ofSeconds(60);

  Outcome anySchedule(C c, Target target) {
    try (Memory memory = new CanaryMemory()) {
      Run run = suite.open(c, target, memory);
      byte[] expected = run.call(Workers.sequential(), Prefill.NAN);
      Verdict verdict = new Verdict();
      for (Schedule schedule : SCHEDULES) {
        try (TestWorkers workers = TestWorkers.of(schedule, c.seed())) {
          byte[] result = run.call(workers, Prefill.NAN);
          Calls.same(verdict, "workers " + schedule, run, expected, result);
        }
      }
      return verdict.outcome();
    }
  }

  Outcome twoThreads(C c, Target target) throws InterruptedException {
    try (Memory memory = new CanaryMemory()) {
      Run first = suite.open(c, target, memory);
      List<Run> runs = List.of(first, first.sibling(c.seed() + 1));
      List<byte[]> alone =
          runs.stream().map(r -> r.call(Workers.sequential(), Prefill.NAN)).toList();
      Verdict verdict = new Verdict();
      AtomicReference<Throwable> failure = new AtomicReference<>();
      Phaser together = new Phaser(2);
      Thread other =
          Thread.ofPlatform().start(() -> repeat(runs, alone, 1, together, verdict, failure));
      repeat(runs, alone, 0, together, verdict, failure);
      other.join();
      if (failure.get() != null) {
        verdict.fail("two threads on one kernel", "two results", "threw " + failure.get());
      }
      return verdict.outcome();
    }
  }

  private static void repeat(
      List<Run> runs,
      List<byte[]> alone,
      int i,
      Phaser together,
      Verdict verdict,
      AtomicReference<Throwable> failure) {
    try {
      together.arriveAndAwaitAdvance();
      for (int n = 0; n < SHARED_CALLS; n++) {
        // In step first: what a kernel keeps between two runs then meets the other call's, always.
        Workers workers = n == 0 ? new InStep(together) : Workers.sequential();
        byte[] shared = runs.get(i).call(workers, Prefill.NAN);
        synchronized (verdict) {
          Calls.same(verdict, "beside another thread", runs.get(i), alone.get(i), shared);
        }
      }
    } catch (Throwable e) {
      failure.set(e);
    } finally {
      together.arriveAndDeregister(); // the other one goes on alone
    }
  }

  /// One worker, that begins a run when another thread's worker has come as far in its own.
  private record InStep(Phaser together) implements Workers {
    @Override
    public int parallelism() {
      return 1;
    }

    @Override
    public void run(int tasks, Task body) {
      together.arriveAndAwaitAdvance();
      for (int t = 0; t < tasks; t++) {
        body.run(t, 0);
      }
    }
  }

  /// The workers are several, but one thread runs all their tasks: tasks that wait for each other
  /// never end.
  Outcome callersThreads(C c, Target target) throws InterruptedException {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(new Schedule(4, Schedule.Order.REVERSED), c.seed())) {
      Run run = suite.open(c, target, memory);
      AtomicReference<Throwable> failure = new AtomicReference<>();
      Thread caller =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                try {
                  run.call(workers, Prefill.NAN);
                } catch (Throwable e) {
                  failure.set(e);
                }
              });
      if (!caller.join(STUCK)) {
        return new Outcome.Fail(
            "4 workers on one thread", "an end", "still running after " + STUCK.toSeconds() + " s");
      }
      Verdict verdict = new Verdict();
      if (workers.nested()) {
        verdict.fail("a task", "no call of run", "called run");
      } else if (failure.get() != null) {
        verdict.fail("4 workers on one thread", "a result", "threw " + failure.get());
      } else if (startsThreads(run, workers)) {
        verdict.fail("each call", "no thread started", "a thread started");
      }
      return verdict.outcome();
    }
  }

  private static boolean startsThreads(Run run, TestWorkers workers) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    for (int n = 0; n < THREAD_CALLS; n++) {
      long before = threads.getTotalStartedThreadCount();
      run.call(workers, Prefill.NAN);
      if (threads.getTotalStartedThreadCount() == before) {
        return false;
      }
    }
    return true;
  }

  /// Workers that fail at one task. The failure must come out as it is, and a later call must work.
  Outcome failingWorkers(C c, Target target) {
    try (Memory memory = new CanaryMemory()) {
      Run run = suite.open(c, target, memory);
      byte[] expected = run.call(Workers.sequential(), Prefill.NAN);
      Verdict verdict = new Verdict();
      AtomicInteger tasks = new AtomicInteger();
      run.call(new Failing(Integer.MAX_VALUE, null, tasks), Prefill.NAN);
      int total = tasks.get();
      if (total == 0) {
        return new Outcome.Skip("the kernel hands out no tasks");
      }
      for (int at : new int[] {0, total / 2, total - 1}) {
        IllegalStateException failure = new IllegalStateException("a worker failed");
        String where = String.format(Locale.ROOT, "workers that fail at task %d of %d", at, total);
        try {
          run.call(new Failing(at, failure, new AtomicInteger()), Prefill.NAN);
          verdict.fail(where, "their exception", "returned as if nothing had happened");
        } catch (RuntimeException e) {
          if (e != failure) {
            verdict.fail(where, "their exception", "threw " + e);
          }
        }
        byte[] after = run.call(Workers.sequential(), Prefill.NAN);
        Calls.same(verdict, "the call after a failure", run, expected, after);
      }
      return verdict.outcome();
    }
  }

  /// One worker, that throws instead of running one of the tasks.
  record Failing(int at, RuntimeException failure, AtomicInteger count) implements Workers {
    @Override
    public int parallelism() {
      return 1;
    }

    @Override
    public void run(int tasks, Task body) {
      for (int t = 0; t < tasks; t++) {
        if (count.getAndIncrement() == at) {
          throw failure;
        }
        body.run(t, 0);
      }
    }
  }
}

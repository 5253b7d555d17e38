package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.BusyThreads;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/// Rule P13: whose threads run. All that a call does, it does on the calling thread and in the
/// tasks that it hands to the workers it was given.
public record OwnThreadsRules<C extends Record & Case>(OperatorSuite<C> suite) {
  /// Calls in which a thread must be started each time before a kernel is said to start threads.
  private static final int THREAD_CALLS = 100;

  /// Other threads of the JVM begin meanwhile, and many where JUnit runs tests in parallel: so many
  /// may begin while nothing is called, each time for as long as the call took.
  private static final int THREADS_OF_OTHERS = 10;

  /// The workers are several, but one thread runs all their tasks: tasks that wait for each other
  /// never end. No thread may be started, and none that was there before may work along.
  Outcome callersThreads(C c, Candidate target) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(new Schedule(4, Schedule.Order.REVERSED), c.seed())) {
      Run run = suite.open(c, target, memory);
      Judgement verdict = new Judgement();
      try {
        run.call(workers, Prefill.NAN);
      } catch (RuntimeException e) {
        if (!workers.nested()) {
          throw e;
        }
      }
      if (workers.nested()) {
        verdict.fail("a task", "no call of run", "called run");
        return verdict.outcome();
      }
      noOtherThread("each call", () -> run.call(workers, Prefill.NAN), verdict);
      return verdict.outcome();
    }
  }

  /// Neither a new thread nor an old one may take part.
  public static void noOtherThread(String where, Runnable call, Judgement verdict) {
    if (startsThreads(call)) {
      verdict.fail(where, "no thread started", "a thread started");
    } else {
      BusyThreads.beside(call)
          .ifPresent(name ->
              verdict.fail(
                  where,
                  "no thread at work but the workers'",
                  String.format(
                      Locale.ROOT, "thread '%s' works each time, and rests in between", name)));
    }
  }

  private static boolean startsThreads(Runnable call) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    int others = 0;
    for (int n = 0; n < THREAD_CALLS && others <= THREADS_OF_OTHERS; n++) {
      long begin = System.nanoTime();
      long before = threads.getTotalStartedThreadCount();
      call.run();
      long started = threads.getTotalStartedThreadCount();
      if (started == before) {
        return false;
      }
      LockSupport.parkNanos(System.nanoTime() - begin);
      others += threads.getTotalStartedThreadCount() > started ? 1 : 0;
    }
    return others <= THREADS_OF_OTHERS;
  }

  /// All memory is the calling thread's, who runs all tasks, under `pack` too: another thread that
  /// touches it gets an exception, however small the work is that it was given.
  Outcome callersThreadAlone(C c, Candidate target) {
    return Calls.judge(
        suite,
        Calls.onOneThread(c),
        target,
        (run, workers) -> run.withinBounds(run.call(workers, Prefill.NAN)));
  }
}

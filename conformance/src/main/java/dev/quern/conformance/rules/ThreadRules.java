package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Lenience;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.NoEndException;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.SuiteThreads;
import dev.quern.conformance.run.Thrown;
import dev.quern.data.Task;
import dev.quern.data.Workers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;

/// Rule P12: a kernel that two threads share.
record ThreadRules<C extends Record & Case>(OperatorSuite<C> suite) {

  /// Calls of each of two threads that share a kernel.
  private static final int SHARED_CALLS = 20;

  /// How long one call waits for the other to come as far.
  private static final Duration IN_STEP = Duration.ofSeconds(10);

  Outcome twoThreads(C c, Candidate target) throws InterruptedException {
    try (Memory memory = new CanaryMemory()) {
      Run first = suite.open(c, target, memory);
      List<Run> runs = List.of(first, first.sibling(c.seed() + 1));
      List<byte[]> alone =
          runs.stream().map(r -> r.call(Workers.sequential(), Prefill.NAN)).toList();
      Judgement verdict = new Judgement();
      AtomicReference<Throwable> failure = new AtomicReference<>();
      Phaser together = new Phaser(2);
      Thread caller = Thread.currentThread();
      Duration limit = Lenience.patient(IN_STEP);
      Thread other =
          SuiteThreads.unstarted(
              "the other thread",
              () -> repeat(runs, alone, 1, new InStep(together, caller, limit, failure), verdict));
      other.start();
      repeat(runs, alone, 0, new InStep(together, other, limit, failure), verdict);
      if (!other.join(limit)) {
        failure.compareAndSet(null, new NoEndException("the other thread's calls", limit, other));
      }
      if (failure.get() instanceof NoEndException e) {
        throw e;
      } else if (failure.get() != null) {
        verdict.fail("two threads on one kernel", "two results", Thrown.text(failure.get()));
      }
      return verdict.outcome();
    }
  }

  private static void repeat(
      List<Run> runs, List<byte[]> alone, int i, InStep inStep, Judgement verdict) {
    try {
      inStep.await();
      for (int n = 0; n < SHARED_CALLS; n++) {
        // In step first: what a kernel keeps between two runs then meets the other call's, always.
        Workers workers = n == 0 ? inStep : Workers.sequential();
        byte[] shared = runs.get(i).call(workers, Prefill.NAN);
        synchronized (verdict) {
          Calls.same(verdict, "beside another thread", runs.get(i), alone.get(i), shared);
        }
      }
    } catch (Throwable e) {
      inStep.failure.compareAndSet(null, e);
    } finally {
      inStep.together.arriveAndDeregister(); // the other one goes on alone
    }
  }

  /// One worker, that begins a run when another thread's worker has come as far in its own.
  ///
  /// @param beside the other thread
  /// @param failure the first of both threads
  private record InStep(
      Phaser together, Thread beside, Duration limit, AtomicReference<Throwable> failure)
      implements Workers {
    @Override
    public int parallelism() {
      return 1;
    }

    @Override
    public void run(int tasks, Task body) {
      await();
      for (int t = 0; t < tasks; t++) {
        body.run(t, 0);
      }
    }

    void await() {
      try {
        together.awaitAdvanceInterruptibly(
            together.arrive(), limit.toNanos(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException e) {
        NoEndException noEnd = new NoEndException("a call beside this one", limit, beside);
        failure.compareAndSet(null, noEnd); // what the kernel makes of it says less
        throw noEnd;
      } catch (InterruptedException e) {
        throw new IllegalStateException("interrupted", e);
      }
    }
  }
}

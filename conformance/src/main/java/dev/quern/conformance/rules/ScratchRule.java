package dev.quern.conformance.rules;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.data.Task;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;

/// Rule P11, for races that threads show by chance only: two workers must not write to the same
/// scratch in one run. Tasks run one after the other, and scratch is compared before and after
/// each.
record ScratchRule<C extends Record & Case>(OperatorSuite<C> suite) {
  /// Bytes that several workers may change: as many as an atomic counter has.
  private static final int SHARED_BYTES = 8;

  /// Bytes of scratch that a case may look at, all tasks together.
  private static final long LOOKED_AT = 16L << 20;

  /// Tasks that kernels make for each worker, at most.
  private static final int TASKS_PER_WORKER = 8;

  /// Who takes a task.
  private interface Assignment {
    int worker(int task, int tasks, int workers);
  }

  private static final Assignment BY_TURNS = (task, tasks, workers) -> task % workers;

  private static final List<Assignment> ASSIGNMENTS =
      List.of(
          BY_TURNS,
          (task, tasks, workers) -> workers - 1 - task % workers,
          (task, tasks, workers) -> task / 2 % workers,
          (task, tasks, workers) -> (int) ((long) task * workers / tasks));

  /// With four workers by turns, and with a number of them that the case draws.
  Outcome check(C c, Candidate target) {
    try (Memory memory = new CanaryMemory()) {
      Run run = suite.open(c, target, memory);
      Mix mix = new Mix(c.seed(), CaseText.write(c));
      int workers = mix.oneIn(2) ? 2 + mix.below(15) : 2 + mix.below(Schedule.MOST_WORKERS - 1);
      Assignment assignment = ASSIGNMENTS.get(mix.below(ASSIGNMENTS.size()));
      Judgement verdict = new Judgement();
      watch(run, new Watch(4, BY_TURNS), verdict);
      watch(run, new Watch(affordable(run, workers), assignment), verdict);
      return verdict.outcome();
    }
  }

  private static int affordable(Run run, int workers) {
    int fewer = workers;
    while (fewer > 2
        && run.kernel().scratchBytes(run.rows(), fewer) * TASKS_PER_WORKER * fewer > LOOKED_AT) {
      fewer /= 2;
    }
    return fewer;
  }

  private static void watch(Run run, Watch watch, Judgement verdict) {
    Workspace w = run.prepare(watch, Prefill.NAN);
    watch.scratch = w.scratch();
    run.again(w);
    if (watch.most > SHARED_BYTES) {
      verdict.fail(
          "scratch, " + watch.where,
          "written to by one worker of a run",
          String.format(
              Locale.ROOT,
              "%d bytes written to by two, which may run at the same moment",
              watch.most));
    }
  }

  /// Workers that take turns on one thread.
  private static final class Watch implements Workers {
    private final int parallelism;
    private final Assignment assignment;
    MemorySegment scratch;
    int most;
    String where = "";

    Watch(int parallelism, Assignment assignment) {
      this.parallelism = parallelism;
      this.assignment = assignment;
    }

    @Override
    public int parallelism() {
      return parallelism;
    }

    @Override
    public void run(int tasks, Task body) {
      byte[] before = scratch.toArray(JAVA_BYTE);
      byte[] writer = new byte[before.length]; // worker + 1 of the last that changed it, or 0
      for (int t = 0; t < tasks; t++) {
        int worker = assignment.worker(t, tasks, parallelism);
        body.run(t, worker);
        note(before, writer, worker, t, tasks);
      }
    }

    /// Looks at what a task changed, and makes `before` the same.
    private void note(byte[] before, byte[] writer, int worker, int task, int tasks) {
      MemorySegment old = MemorySegment.ofArray(before);
      int shared = 0;
      int first = 0;
      int end = before.length;
      for (int i = changed(old, 0); i < end; i = changed(old, i)) {
        for (; i < end && scratch.get(JAVA_BYTE, i) != before[i]; i++) {
          if (writer[i] != 0 && writer[i] != worker + 1) {
            first = shared++ == 0 ? i : first;
          }
          writer[i] = (byte) (worker + 1);
          before[i] = scratch.get(JAVA_BYTE, i);
        }
      }
      if (shared > most) {
        most = shared;
        where =
            String.format(
                Locale.ROOT,
                "%d workers, from byte %d on, task %d of %d",
                parallelism,
                first,
                task,
                tasks);
      }
    }

    /// The next byte that a task changed, or the end.
    private int changed(MemorySegment old, int from) {
      long end = old.byteSize();
      long at = MemorySegment.mismatch(scratch, from, end, old, from, end);
      return (int) (at < 0 ? end : from + at);
    }
  }
}

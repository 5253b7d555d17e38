package dev.quern.conformance.rules;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.conformance.Outcome;
import dev.quern.conformance.Target;
import dev.quern.conformance.Verdict;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.data.Task;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/// Rule P11, for races that threads show by chance only: two workers must not write to the same
/// scratch in one run. Tasks run one after the other, and scratch is compared before and after
/// each.
record ScratchRule<C extends Record & Case>(OperatorSuite<C> suite) {
  /// Bytes that several workers may change: as many as an atomic counter has.
  private static final int SHARED_BYTES = 8;

  Outcome check(C c, Target target) {
    try (Memory memory = new CanaryMemory()) {
      Run run = suite.open(c, target, memory);
      Watch watch = new Watch();
      Workspace w = run.prepare(watch, Prefill.NAN);
      watch.scratch = w.scratch();
      run.again(w);
      Verdict verdict = new Verdict();
      if (watch.most > SHARED_BYTES) {
        verdict.fail(
            "scratch, " + watch.where,
            "written to by one worker of a run",
            String.format(
                Locale.ROOT,
                "%d bytes written to by two, which may run at the same moment",
                watch.most));
      }
      return verdict.outcome();
    }
  }

  /// Four workers that take turns on one thread.
  private static final class Watch implements Workers {
    MemorySegment scratch;
    int most;
    String where = "";

    @Override
    public int parallelism() {
      return 4;
    }

    @Override
    public void run(int tasks, Task body) {
      byte[] before = scratch.toArray(JAVA_BYTE);
      byte[] writer = new byte[before.length]; // worker + 1 of the last that changed it, or 0
      for (int t = 0; t < tasks; t++) {
        int worker = t % parallelism();
        body.run(t, worker);
        byte[] after = scratch.toArray(JAVA_BYTE);
        int shared = 0;
        int first = 0;
        for (int i = 0; i < after.length; i++) {
          if (after[i] != before[i]) {
            if (writer[i] != 0 && writer[i] != worker + 1) {
              first = shared++ == 0 ? i : first;
            }
            writer[i] = (byte) (worker + 1);
          }
        }
        if (shared > most) {
          most = shared;
          where = String.format(Locale.ROOT, "from byte %d on, task %d of %d", first, t, tasks);
        }
        before = after;
      }
    }
  }
}

package dev.quern.conformance.rules;

import dev.quern.conformance.Outcome;
import dev.quern.conformance.Target;
import dev.quern.conformance.Verdict;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.GuardPages;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.op.Kernel;
import java.util.Locale;

/// Rules P7 to P10: where kernels read and write.
record MemoryRules<C extends Record & Case>(OperatorSuite<C> suite) {

  Outcome staysInBounds(C c, Target target) {
    Verdict verdict = new Verdict();
    String os = target.platform().os();
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Run run = suite.open(c, target, memory);
      byte[] result = run.call(workers, Prefill.NAN);
      run.overrun(false).ifPresent(o -> verdict.fail(o, "unchanged", "written to"));
      run.overrun(true).ifPresent(o -> verdict.fail(o, "unchanged", "written to"));
      run.strayWrite().ifPresent(o -> verdict.fail(o, "unchanged", "written to"));
      // What wrote over a canary would end the process beside a guard page.
      if (verdict.outcome() instanceof Outcome.Pass && GuardPages.supported(os)) {
        for (GuardPages.Side side : GuardPages.Side.values()) {
          try (Memory guarded = new GuardPages(os, side)) {
            byte[] beside = suite.open(c, target, guarded).call(workers, Prefill.NAN);
            Calls.same(verdict, "beside a guard page", run, result, beside);
          }
        }
      }
      return verdict.outcome();
    }
  }

  Outcome inputsUnchanged(C c, Target target) {
    return Calls.judge(
        suite,
        c,
        target,
        (run, workers) -> {
          run.call(workers, Prefill.NAN);
          Verdict verdict = new Verdict();
          run.changedInput().ifPresent(i -> verdict.fail(i, "unchanged", "written to"));
          return verdict;
        });
  }

  Outcome ignoresWhatWasThere(C c, Target target) {
    return Calls.judge(
        suite,
        c,
        target,
        (run, workers) -> {
          byte[] first = run.call(workers, Prefill.ZERO);
          Verdict verdict = new Verdict();
          Calls.same(verdict, "over NaN", run, first, run.call(workers, Prefill.NAN));
          Calls.same(verdict, "over stale numbers", run, first, run.call(workers, Prefill.STALE));
          return verdict;
        });
  }

  Outcome scratch(C c, Target target) {
    return Calls.judge(
        suite,
        c,
        target,
        (run, workers) -> {
          Verdict verdict = new Verdict();
          monotone(run.kernel(), verdict);
          run.call(workers, Prefill.NAN);
          run.overrun(true).ifPresent(o -> verdict.fail(o, "unchanged", "written to"));
          return verdict;
        });
  }

  private static void monotone(Kernel kernel, Verdict verdict) {
    for (int rows : new int[] {1, 2, 3, 4, 5, 8, 16, 17, 64, 1000}) {
      for (int parallelism = 1; parallelism <= 9; parallelism++) {
        long bytes = kernel.scratchBytes(rows, parallelism);
        long least =
            Math.max(
                kernel.scratchBytes(Math.max(1, rows - 1), parallelism),
                kernel.scratchBytes(rows, Math.max(1, parallelism - 1)));
        if (bytes < Math.max(0, least)) {
          verdict.fail(
              String.format(Locale.ROOT, "scratchBytes(%d, %d)", rows, parallelism),
              String.format(
                  Locale.ROOT, "at least %d, what fewer rows or workers need", Math.max(0, least)),
              Long.toString(bytes));
        }
      }
    }
  }
}

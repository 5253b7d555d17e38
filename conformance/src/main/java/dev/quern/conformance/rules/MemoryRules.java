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
import dev.quern.conformance.run.GuardPages;
import dev.quern.conformance.run.MappedMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.SharedMemory;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.conformance.run.Watch;
import dev.quern.data.Workspace;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;

/// Rules P7 to P10: where kernels read and write.
public record MemoryRules<C extends Record & Case>(OperatorSuite<C> suite) {

  /// Canaries beside operands: more than a row that is written beyond the last one mostly takes.
  private static final long WIDE_GUARD_BYTES = 8192;

  /// More than 16 bits hold: gate and up of the largest models in one buffer are as far apart.
  private static final int FAR_FLOATS = 66_000;

  /// Scratch beyond what was asked for, as a caller has that runs kernels of several sizes.
  private static final long MUCH_BYTES = 1 << 20;

  Outcome staysInBounds(C c, Candidate target) {
    Judgement verdict = new Judgement();
    String os = target.platform().os();
    try (Memory memory = new CanaryMemory(WIDE_GUARD_BYTES);
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Run run = suite.open(c, target, memory);
      byte[] result = run.call(workers, Prefill.NAN);
      strayWrites(run, verdict);
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

  private static void strayWrites(Run run, Judgement verdict) {
    run.overrun(false).ifPresent(o -> verdict.fail(o, "unchanged", "written to"));
    run.overrun(true).ifPresent(o -> verdict.fail(o, "unchanged", "written to"));
    run.strayWrite().ifPresent(o -> verdict.fail(o, "unchanged", "written to"));
  }

  /// Rows far apart, each operand's by another stride. What lies between holds NaN, which shows
  /// where it is read as data, and is looked at before and after each task.
  Outcome wideStrides(C c, Candidate target) {
    return Calls.judge(
        suite,
        c,
        target,
        (run, workers) -> {
          Watch watch = run.watch(workers);
          Judgement verdict = run.withinBounds(run.call(watch, Prefill.NAN));
          strayWrites(run, verdict);
          run.changedInput().ifPresent(i -> verdict.fail(i, "unchanged", "written to"));
          watch.found().ifPresent(w -> verdict.fail(w, "unchanged at any moment", "changed"));
          return verdict;
        });
  }

  /// The same bits where the operands are columns of one buffer and pieces of another.
  Outcome oneBuffer(C c, Candidate target) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Run apart = suite.open(c, target, memory);
      byte[] expected = apart.call(workers, Prefill.NAN);
      Judgement verdict = new Judgement();
      Mix mix = new Mix(c.seed(), "columns of " + CaseText.write(c));
      try (Memory shared = new SharedMemory(new CanaryMemory(), apart, mix)) {
        Run run = suite.open(c, target, shared);
        Watch watch = run.watch(workers);
        byte[] result = run.call(watch, Prefill.NAN);
        Calls.same(verdict, "operands in one buffer", run, expected, result);
        strayWrites(run, verdict);
        run.changedInput().ifPresent(i -> verdict.fail(i, "unchanged", "written to"));
        watch.found().ifPresent(w -> verdict.fail(w, "unchanged at any moment", "changed"));
      }
      return verdict.outcome();
    }
  }

  /// The checks of this class on a call so large that what begins at some size has begun.
  Outcome largeOperands(C c, Candidate target) {
    Mix mix = new Mix(c.seed(), "large");
    List<Function<C, Outcome>> checks =
        List.of(
            of -> wideStrides(Strides.equal(of, 1 + mix.below(30)), target),
            of -> wideStrides(Strides.equal(Strides.few(of), FAR_FLOATS), target),
            of -> staysInBounds(of, target),
            of -> oneBuffer(of, target),
            of -> inputsUnchanged(of, target),
            of -> ignores(of, target, EnumSet.of(Prefill.NAN, Prefill.STALE)),
            of -> moreScratch(of, target));
    Outcome outcome = Outcome.pass();
    for (Function<C, Outcome> check : checks) {
      outcome = outcome instanceof Outcome.Fail ? outcome : check.apply(c);
    }
    return outcome;
  }

  /// Inputs lie where a write throws, and where a write by native code shows afterwards, even if it
  /// put back what was there. They are looked at when the kernel was made, before and after each
  /// task, and after the call.
  Outcome inputsUnchanged(C c, Candidate target) {
    try (MappedMemory memory = new MappedMemory(new CanaryMemory());
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Judgement verdict = new Judgement();
      Run run = suite.open(c, target, memory); // a linear kernel's weights are packed here
      unchanged(run, memory, "once packed", verdict);
      Watch watch = run.watch(workers);
      run.call(watch, Prefill.NAN);
      watch.found().ifPresent(w -> verdict.fail(w, "unchanged at any moment", "changed"));
      unchanged(run, memory, "after the call", verdict);
      return verdict.outcome();
    } catch (UncheckedIOException e) {
      return new Outcome.Skip("no file can be mapped here: " + e.getMessage());
    }
  }

  /// What is said of a run whose inputs, or some of them, lie in mapped memory.
  public static void unchanged(Run run, MappedMemory memory, String when, Judgement verdict) {
    run.changedInput().ifPresent(i -> verdict.fail(i + ", " + when, "unchanged", "written to"));
    memory
        .written()
        .ifPresent(
            i -> verdict.fail(i + ", " + when, "never written to", "written to, and put back"));
  }

  Outcome ignoresWhatWasThere(C c, Candidate target) {
    return ignores(c, target, EnumSet.complementOf(EnumSet.of(Prefill.ZERO)));
  }

  /// @param others what outputs and scratch held must not matter, against zeros
  private Outcome ignores(C c, Candidate target, Set<Prefill> others) {
    return Calls.judge(
        suite,
        c,
        target,
        (run, workers) -> {
          byte[] first = run.call(workers, Prefill.ZERO);
          Judgement verdict = new Judgement();
          for (Prefill held : others) {
            String over = "over " + held.name().toLowerCase(Locale.ROOT);
            Calls.same(verdict, over, run, first, run.call(workers, held));
          }
          leftOver(run, run.sibling(c.seed() + 1), workers, verdict, first);
          return verdict;
        });
  }

  /// A row alone in the scratch that all rows left, all rows in what it left, and other operands in
  /// what these left.
  private static void leftOver(
      Run run, Run sibling, TestWorkers workers, Judgement verdict, byte[] all) {
    Run row = run.row(run.rows() - 1);
    byte[] expected = row.call(workers, Prefill.ZERO);
    byte[] others = sibling.call(workers, Prefill.ZERO);
    Workspace w = run.prepare(workers, Prefill.ZERO);
    run.again(w);
    byte[] alone = row.call(w, Prefill.STALE);
    Calls.same(verdict, "a row in what all rows left in scratch", row, expected, alone);
    byte[] again = run.call(w, Prefill.STALE);
    Calls.same(verdict, "all rows in what a row left in scratch", run, all, again);
    byte[] other = sibling.call(w, Prefill.STALE);
    Calls.same(verdict, "other operands in what was left in scratch", sibling, others, other);
  }

  Outcome scratch(C c, Candidate target) {
    return Calls.judge(
        suite,
        c,
        target,
        (run, workers) -> {
          Judgement verdict = new Judgement();
          Mix mix = new Mix(c.seed(), "scratch");
          ScratchBytes.monotone(run.kernel(), mix, verdict);
          run.call(workers, Prefill.NAN);
          run.overrun(true).ifPresent(o -> verdict.fail(o, "unchanged", "written to"));
          Schedule many = new Schedule(10 + mix.below(60), Schedule.Order.REVERSED);
          try (TestWorkers others = TestWorkers.of(many, c.seed())) {
            run.call(others, Prefill.NAN);
          }
          run.overrun(true)
              .ifPresent(o ->
                  verdict.fail(
                      o + ", with " + many.workers() + " workers", "unchanged", "written to"));
          return verdict;
        });
  }

  Outcome scratchOfModels(C c, Candidate target) {
    try (Memory memory = new CanaryMemory()) {
      Judgement verdict = new Judgement();
      Mix mix = new Mix(c.seed(), "scratch");
      ScratchBytes.monotone(suite.kernel(c, target, memory), mix, verdict);
      return verdict.outcome();
    }
  }

  /// Scratch that is larger than was asked for: the same bits, and the excess is not touched.
  Outcome moreScratch(C c, Candidate target) {
    return Calls.judge(
        suite,
        c,
        target,
        (run, workers) -> {
          byte[] expected = run.call(workers, Prefill.NAN);
          long asked = run.scratchBytes(workers);
          long odd = 64L * (2 * new Mix(c.seed(), "more").below(50) + 1);
          long others = run.kernel().scratchBytes(4 * c.rows() + 1, 3 * workers.parallelism());
          Judgement verdict = new Judgement();
          for (long bytes : new long[] {asked + 1, 2 * asked + odd, others, asked + MUCH_BYTES}) {
            if (bytes > asked + 8 * MUCH_BYTES) {
              continue; // too dear
            }
            MemorySegment scratch = run.scratch(Math.max(asked, bytes));
            MemorySegment excess = scratch.asSlice(asked);
            byte[] held = excess.toArray(JAVA_BYTE);
            byte[] result = run.call(new Workspace(scratch, workers), Prefill.NAN);
            String when = String.format(Locale.ROOT, "%d of %d bytes of scratch", asked, bytes);
            Calls.same(verdict, when, run, expected, result);
            long at = excess.mismatch(MemorySegment.ofArray(held));
            if (at >= 0) {
              verdict.fail(
                  String.format(Locale.ROOT, "byte %d of scratch, asked for %d", asked + at, asked),
                  "unchanged",
                  "written to");
            }
          }
          if (asked == 0) {
            byte[] none = run.call(new Workspace(MemorySegment.NULL, workers), Prefill.NAN);
            Calls.same(verdict, "no scratch", run, expected, none);
          }
          return verdict;
        });
  }
}

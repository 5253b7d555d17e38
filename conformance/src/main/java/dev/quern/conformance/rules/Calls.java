package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.Workspace;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/// What checks of every operator share.
public final class Calls {
  private Calls() {}

  /// The variants of an offer, from which edge cases are made; none where it is declined or broken,
  /// which the rules will say.
  public static List<Variant> variants(Supplier<Offer<?>> offer) {
    try {
      return offer.get() instanceof Offer.Accepted<?> a ? a.variants() : List.of();
    } catch (Throwable e) {
      return List.of();
    }
  }

  /// Judges a run.
  public interface Judge {
    Judgement judge(Run run, TestWorkers workers);
  }

  /// Opens a case between canaries, with the workers that it names, and judges it.
  public static <C extends Record & Case> Outcome judge(
      OperatorSuite<C> suite, C c, Candidate target, Judge judge) {
    try (Memory memory = memory(c);
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      return judge.judge(suite.open(c, target, memory), workers).outcome();
    }
  }

  /// Memory between canaries for a case with the workers that it names; the calling thread's alone
  /// if these are.
  public static Memory memory(Case c) {
    boolean threads = c.schedule().order() == Schedule.Order.THREADS;
    return new CanaryMemory(threads ? Arena.ofShared() : Arena.ofConfined());
  }

  /// The case with workers that are one thread.
  public static <C extends Record & Case> C onOneThread(C c) {
    return c.schedule().order() == Schedule.Order.THREADS
        ? CaseText.with(
            c, "schedule=" + new Schedule(c.schedule().workers(), Schedule.Order.RANGES))
        : c;
  }

  /// A check on cases whose call is right by itself: what is wrong from the start is no matter of
  /// memory, and other rules have it.
  public static <C extends Record & Case> Rule.PatientCheck<C> ifRight(
      OperatorSuite<C> suite, Rule.Check<C> check) {
    return (c, target, tries) -> {
      Outcome alone =
          judge(
              suite, c, target, (run, workers) -> run.withinBounds(run.call(workers, Prefill.NAN)));
      return alone instanceof Outcome.Fail
          ? new Outcome.Skip("wrong from the first call on: other rules say how")
          : check.check(c, target, tries);
    };
  }

  /// Makes a run's call with a content of its operands.
  ///
  /// @param content the run itself, or a sibling of it, which judges the result
  public static byte[] with(Run content, Run run, Workspace w) {
    run.restore(Prefill.NAN, content);
    run.again(w);
    return run.result();
  }

  /// Two results of a run must have the same bits.
  public static void same(Judgement verdict, String when, Run run, byte[] expected, byte[] actual) {
    if (run.yieldsF32()) {
      float[] e = Run.floats(expected);
      float[] a = Run.floats(actual);
      for (int i = 0; i < e.length; i++) {
        verdict.same(when + ": result", i, e[i], a[i]);
      }
    } else {
      int at = Arrays.mismatch(expected, actual);
      if (at >= 0) {
        verdict.fail(
            String.format(Locale.ROOT, "%s: byte %d of the result", when, at),
            Byte.toString(expected[at]),
            Byte.toString(actual[at]));
      }
    }
  }
}

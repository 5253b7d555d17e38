package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Rule P12 in numbers: thousands of calls of one kernel, hundreds of kernels. All are of the
/// smallest case in which something shows, so that they take no more than a moment.
record SoakRules<C extends Record & Case>(OperatorSuite<C> suite) {
  private static final int CALLS = 500;

  /// With fewer tries than a quick run's, as where a CPU is emulated.
  private static final int FEW_CALLS = 100;

  /// More than what any counter of 16 bits counts to.
  private static final int MANY_CALLS = 66_000;

  private static final int KERNELS = 40;

  /// Two in three are kernels of their own: more than a model has layers, or a byte counts to.
  private static final int MANY_KERNELS = 400;

  /// Contents that come when all calls were made, some of them larger than any before.
  private static final int LATE_CONTENTS = 4;

  /// Rows of one call among smaller ones.
  private static final int MANY_ROWS = 1_000;

  static <C extends Record & Case> List<Rule<C>> of(OperatorSuite<C> suite) {
    SoakRules<C> rules = new SoakRules<>(suite);
    return List.of(
        rules.rule(
            "soak",
            (c, target, tries) ->
                rules.soak(c, target, tries < Rule.QUICK_TRIES ? FEW_CALLS : CALLS)),
        rules
            .rule("long_soak", (c, target, tries) -> rules.soak(c, target, MANY_CALLS))
            .on(c -> CaseText.with(c, c.soaked() + ",seed=1"))
            .effort(Rule.Effort.LONG_SOAK),
        rules.rule("many_kernels", rules::manyKernels));
  }

  /// On what is left of the first edge cases: one case, and for attention `append` as well.
  private Rule<C> rule(String name, Rule.PatientCheck<C> check) {
    return Rule.of("P12", name, Calls.ifRight(suite, check))
        .on(this::small)
        .effort(Rule.Effort.THREE_CASES);
  }

  private C small(C c) {
    return CaseText.with(c, c.small() + ",seed=1");
  }

  private static boolean patient(int tries) {
    return tries >= Rule.DEFAULT_TRIES;
  }

  /// Calls of one kernel, with one row and with several, each at its addresses and with one content
  /// or another, in no order that could be guessed; first one with many rows. Each result has the
  /// bits of the first of that content. Then come contents that it has not seen.
  private Outcome soak(C c, Candidate target, int calls) {
    return Calls.judge(
        suite,
        c,
        target,
        (run, workers) -> {
          Judgement verdict = new Judgement();
          Known.of("many rows", run.next(MANY_ROWS, 0, 2, run.memory()), workers, verdict);
          Run one = run.next(1, 0, c.seed(), run.memory());
          List<Soaked> all = List.of(new Soaked(run, workers), new Soaked(one, workers));
          all.forEach(s -> s.first(verdict));
          Mix mix = new Mix(c.seed(), "soak");
          for (int n = 5; n <= calls && verdict.worst() <= 1; n++) {
            all.get(mix.below(2)).again(mix.below(2), n, verdict);
          }
          for (long seed = 1; seed <= LATE_CONTENTS && verdict.worst() <= 1; seed++) {
            Run late = run.next(MANY_ROWS, 0, c.seed() + 100 + seed, run.memory());
            Known.of("other operands after " + calls + " calls", late, workers, verdict);
          }
          return verdict;
        });
  }

  /// A call at its addresses, with two contents.
  private record Soaked(Run run, Workspace w, List<Run> contents, List<byte[]> results) {
    Soaked(Run run, Workers workers) {
      this(
          run, run.prepare(workers, Prefill.NAN), List.of(run, run.sibling(17)), new ArrayList<>());
    }

    void first(Judgement verdict) {
      for (Run content : contents) {
        byte[] result = Calls.with(content, run, w);
        verdict.add("the first calls", content.withinBounds(result));
        results.add(result);
      }
    }

    void again(int content, int call, Judgement verdict) {
      byte[] result = Calls.with(contents.get(content), run, w);
      byte[] right = results.get(content);
      if (!Arrays.equals(right, result)) {
        Calls.same(verdict, "call " + call, run, right, result);
      }
    }
  }

  /// Kernels of one spec, each with operands of its own, and among them second calls of the one
  /// before with other operands: as many caches, weights and tables.
  private Outcome manyKernels(C c, Candidate target, int tries) {
    int kernels = patient(tries) ? MANY_KERNELS : KERNELS;
    try (Memory memory = new CanaryMemory()) {
      Workers workers = Workers.sequential();
      Judgement verdict = new Judgement();
      List<Known> calls = new ArrayList<>();
      for (int i = 0; i < kernels; i++) {
        long seed = c.seed() + i;
        Run run =
            i % 3 == 2
                ? calls.getLast().run().sibling(seed)
                : suite.open(CaseText.with(c, "seed=" + seed), target, memory);
        calls.add(Known.of("kernel or call " + i, run, workers, verdict));
      }
      calls.reversed().forEach(k -> k.again("after all others", workers, verdict));
      return verdict.outcome();
    }
  }
}

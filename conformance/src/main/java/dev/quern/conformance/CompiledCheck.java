package dev.quern.conformance;

import dev.quern.conformance.cases.AttentionCase;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.LinearCase;
import dev.quern.conformance.cases.RmsNormCase;
import dev.quern.conformance.cases.RopeCase;
import dev.quern.conformance.cases.SwiGluCase;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.AttentionRules;
import dev.quern.conformance.rules.LinearRules;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.RmsNormRules;
import dev.quern.conformance.rules.RopeRules;
import dev.quern.conformance.rules.SwiGluRules;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Driver;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Run;
import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.op.Numerics;
import dev.quern.op.RopePairing;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// What `quern selfcheck` runs: every variant of a provider is called until C2 has compiled it, and
/// its results are held against the oracle's bounds all the while. The suite's rules look for wrong
/// kernels; this looks for right kernels that the JVM compiles wrongly.
public final class CompiledCheck {
  /// Calls of each shape. By the third one only its longer loops are new code, and those count by
  /// the iteration.
  private static final int[] CALLS = {Driver.MIN_CALLS, Driver.MIN_CALLS, 250};

  /// Rows of the largest call of a variant for several rows.
  private static final int MANY_ROWS = 19;

  private CompiledCheck() {}

  /// What became of a variant.
  ///
  /// @param operator the operator's name
  /// @param spec the spec of the case that failed, else of the last one
  /// @param variant the variant
  /// @param replay the case that failed, else the last one, as `quern conformance --replay` takes
  ///   it
  /// @param outcome pass, or the first failure
  /// @param calls how often the kernel was called
  public record Result(
      String operator, Object spec, Variant variant, String replay, Outcome outcome, long calls) {

    /// Whether it was right.
    public boolean passed() {
      return outcome instanceof Outcome.Pass;
    }
  }

  /// What one operator is checked on.
  ///
  /// @param firsts a case for each kind of kernel: weight format, cache format, pairing
  /// @param shapes changes to a case, by rising size: a small call, one with tails in every
  ///   dimension, one as models have them
  private record Plan<C extends Record & Case>(
      OperatorSuite<C> suite, List<C> firsts, List<String> shapes) {}

  /// Checks all variants.
  ///
  /// @param target a provider that is available
  /// @param progress is told each result as it comes
  public static List<Result> run(Target target, Consumer<Result> progress) {
    List<Result> results = new ArrayList<>();
    for (Plan<?> plan : plans()) {
      run(plan, target, results, progress);
    }
    return results;
  }

  private static List<Plan<?>> plans() {
    List<Plan<?>> plans = new ArrayList<>();
    for (BlockFormat format : BlockFormat.standard()) {
      int block = format.blockElements();
      String tail = Integer.toString(block == 1 ? 67 : 3 * block);
      plans.add(
          new Plan<>(
              new LinearRules(),
              // `any` is what models ask for; the others find the variants behind it.
              Stream.concat(
                      Stream.of(LinearCase.ANY), Numerics.standard().stream().map(Numerics::id))
                  .map(n -> LinearCase.of(format, n))
                  .toList(),
              List.of(
                  "outputs=8,inputs=256", "outputs=5+8,inputs=" + tail, "outputs=66,inputs=2048")));
    }
    List<String> attention =
        List.of(
            "kvHeads=1,group=2,headDim=32,firstPosition=8",
            "kvHeads=2,group=3,headDim=21,firstPosition=37,spare=3",
            "kvHeads=4,group=4,headDim=64,firstPosition=300");
    for (KvFormat kv : List.of(KvFormat.F32, KvFormat.F16)) {
      AttentionCase apply = AttentionCase.of(kv);
      plans.add(new Plan<>(new AttentionRules(), List.of(apply), attention));
      AttentionCase append = CaseText.with(apply, "append=true");
      plans.add(new Plan<>(new AttentionRules(), List.of(append), attention));
    }
    List<String> widths = List.of("width=32", "width=67", "width=2048");
    plans.add(new Plan<>(new RmsNormRules(), List.of(RmsNormCase.smallest()), widths));
    plans.add(new Plan<>(new SwiGluRules(), List.of(SwiGluCase.smallest()), widths));
    for (RopePairing pairing : RopePairing.values()) {
      plans.add(
          new Plan<>(
              new RopeRules(),
              List.of(RopeCase.of(pairing)),
              List.of(
                  "heads=2,halfDim=16",
                  "heads=3,halfDim=19,firstPosition=5",
                  "heads=16,halfDim=32")));
    }
    return plans;
  }

  private static <C extends Record & Case> void run(
      Plan<C> plan, Target target, List<Result> results, Consumer<Result> progress) {
    List<Variant> seen = new ArrayList<>();
    for (C first : plan.firsts) {
      if (!(plan.suite.offer(first, target) instanceof Offer.Accepted<?> accepted)) {
        continue;
      }
      List<Variant> variants = accepted.variants();
      for (int i = 0; i < variants.size(); i++) {
        if (seen.contains(variants.get(i))) {
          continue;
        }
        seen.add(variants.get(i));
        int end = i + 1 < variants.size() ? variants.get(i + 1).minRows() : Integer.MAX_VALUE;
        Result result = check(plan, first, variants.get(i), end, target);
        results.add(result);
        progress.accept(result);
      }
    }
  }

  /// @param end the smallest number of rows that runs on the next variant
  private static <C extends Record & Case> Result check(
      Plan<C> plan, C first, Variant variant, int end, Target target) {
    int min = variant.minRows();
    int[] rows = {min, Math.min(min + 4, end - 1), Math.min(Math.max(min, MANY_ROWS), end - 1)};
    List<C> cases = new ArrayList<>();
    for (int i = 0; i < rows.length; i++) {
      cases.add(CaseText.with(first, plan.shapes.get(i) + ",rows=" + rows[i]));
    }
    C current = cases.getFirst();
    Outcome outcome = Outcome.pass();
    try (Memory memory = new CanaryMemory();
        Driver driver = new Driver()) {
      List<Run> runs = new ArrayList<>();
      try {
        for (int i = 0; i < cases.size() && outcome instanceof Outcome.Pass; i++) {
          current = cases.get(i);
          runs.add(plan.suite.open(current, target, memory));
          outcome = driver.drive(runs.get(i), CALLS[i]);
        }
        // A larger call may have had the code of the smaller ones compiled anew.
        for (int i = 0; i < runs.size() && outcome instanceof Outcome.Pass; i++) {
          current = cases.get(i);
          outcome = driver.verify(runs.get(i));
        }
      } catch (RuntimeException | LinkageError | AssertionError e) {
        outcome = new Outcome.Fail("the kernel", "a result", "threw " + e);
      }
      String replay =
          String.format(Locale.ROOT, "P5/%s:%s", plan.suite.name(), CaseText.write(current));
      return new Result(
          plan.suite.name(), current.spec(), variant, replay, outcome, driver.calls());
    }
  }
}

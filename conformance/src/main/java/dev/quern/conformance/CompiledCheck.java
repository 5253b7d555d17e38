package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.CompiledCases;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Driver;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Run;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/// What `quern selfcheck` runs: every variant of a provider is called until C2 has compiled it, and
/// its results are held against the oracle's bounds all the while. The suite's rules look for wrong
/// kernels; this looks for right kernels that the JVM compiles wrongly.
///
/// @since 0.1
/// @stability api
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

  /// Checks all variants.
  ///
  /// @param target a provider that is available
  /// @param progress is told each result as it comes
  public static List<Result> run(Target target, Consumer<Result> progress) {
    List<Result> results = new ArrayList<>();
    for (OperatorSuite<?> suite : SuiteCatalog.operators()) {
      runAll(suite, target, results, progress);
    }
    return results;
  }

  private static <C extends Record & Case> void runAll(
      OperatorSuite<C> suite, Target target, List<Result> results, Consumer<Result> progress) {
    for (CompiledCases<C> cases : suite.compiledCases()) {
      run(suite, cases, target, results, progress);
    }
  }

  private static <C extends Record & Case> void run(
      OperatorSuite<C> suite,
      CompiledCases<C> cases,
      Target target,
      List<Result> results,
      Consumer<Result> progress) {
    List<Variant> seen = new ArrayList<>();
    for (C first : cases.firsts()) {
      if (!(suite.offer(first, target) instanceof Offer.Accepted<?> accepted)) {
        continue;
      }
      List<Variant> variants = accepted.variants();
      for (int i = 0; i < variants.size(); i++) {
        if (seen.contains(variants.get(i))) {
          continue;
        }
        seen.add(variants.get(i));
        int end = i + 1 < variants.size() ? variants.get(i + 1).minRows() : Integer.MAX_VALUE;
        Result result =
            check(
                suite,
                shaped(cases.shapes(), first, variants.get(i), end),
                variants.get(i),
                target);
        results.add(result);
        progress.accept(result);
      }
    }
  }

  /// A case of each shape, with rows that run on the variant.
  ///
  /// @param end the smallest number of rows that runs on the next variant
  private static <C extends Record & Case> List<C> shaped(
      List<String> shapes, C first, Variant variant, int end) {
    int min = variant.minRows();
    int[] rows = {min, Math.min(min + 4, end - 1), Math.min(Math.max(min, MANY_ROWS), end - 1)};
    List<C> cases = new ArrayList<>();
    for (int i = 0; i < rows.length; i++) {
      cases.add(CaseText.with(first, shapes.get(i) + ",rows=" + rows[i]));
    }
    return cases;
  }

  private static <C extends Record & Case> Result check(
      OperatorSuite<C> suite, List<C> cases, Variant variant, Target target) {
    C current = cases.getFirst();
    Outcome outcome = Outcome.pass();
    try (Memory memory = new CanaryMemory();
        Driver driver = new Driver()) {
      List<Run> runs = new ArrayList<>();
      try {
        for (int i = 0; i < cases.size() && outcome instanceof Outcome.Pass; i++) {
          current = cases.get(i);
          runs.add(suite.open(current, target, memory));
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
      String replay = String.format(Locale.ROOT, "P5/%s:%s", suite.name(), CaseText.write(current));
      return new Result(suite.name(), current.spec(), variant, replay, outcome, driver.calls());
    }
  }
}

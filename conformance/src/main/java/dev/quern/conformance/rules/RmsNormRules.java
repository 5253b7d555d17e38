package dev.quern.conformance.rules;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.RmsNormCase;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Declaration.Query;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.judge.Verdict;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.RmsNormRun;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.spi.Offer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/// Section N of SPEC.md.
public final class RmsNormRules implements OperatorSuite<RmsNormCase> {
  /// Judges a result.
  private interface Judge {
    Verdict judge(RmsNormRun run, byte[] result);
  }

  @Override
  public String name() {
    return "rmsnorm";
  }

  @Override
  public Class<RmsNormCase> caseType() {
    return RmsNormCase.class;
  }

  @Override
  public List<Subject<RmsNormCase>> subjects(Candidate target) {
    RmsNormCase first = RmsNormCase.smallest();
    return List.of(
        new Subject<>(
            "F32",
            Stream.of(
                    "width=1",
                    "width=259,rows=24",
                    "width=64,rows=33",
                    "width=4096,x=extreme",
                    "width=5,rows=4,xPad=3,yPad=1,epsilon=0.0",
                    "width=17,rows=2,inPlace=true,xPad=2",
                    "width=31,rows=9,schedule=4/threads",
                    "width=8,rows=2,x=zero")
                .map(changes -> CaseText.with(first, changes))
                .toList(),
            RmsNormRules::arbitrary,
            () -> ModelCases.rmsNorm(first)));
  }

  private static Arbitrary<RmsNormCase> arbitrary() {
    return Combinators.combine(
            Sizes.near(600),
            Arbitraries.of(1e-5f, 0f, 1e-6f, 1f),
            Sizes.rows(),
            Combinators.combine(Sizes.pad(), Sizes.pad()).as(List::of),
            Arbitraries.of(false, true),
            // Of magnitudes below 2^-50 rule N1 says nothing.
            Arbitraries.of(Values.class).filter(v -> v != Values.SUBNORMAL),
            Sizes.schedule(),
            Sizes.seed())
        .as((width, epsilon, rows, pads, inPlace, x, schedule, seed) ->
            new RmsNormCase(
                width, epsilon, rows, pads.get(0), pads.get(1), inPlace, x, schedule, seed));
  }

  @Override
  public Offer<?> offer(RmsNormCase c, Candidate target) {
    return target.provider().rmsNorm(c.spec());
  }

  @Override
  public Query query(RmsNormCase c) {
    return new Query(name(), List.of(), Map.of("width", (long) c.width()));
  }

  @Override
  public Run open(RmsNormCase c, Candidate target, Memory memory) {
    return RmsNormRun.open(c, RmsNormRun.Data.of(c), target, memory);
  }

  @Override
  public RmsNormCase manyTasks(RmsNormCase c) {
    return CaseText.with(
        c, String.format(Locale.ROOT, "rows=264,width=%d", Math.min(c.width(), 24)));
  }

  @Override
  public RmsNormCase large(RmsNormCase c) {
    String size =
        c.rows() == 1 ? "width=20000" : c.rows() < 9 ? "width=4100,rows=18" : "width=500,rows=601";
    return CaseText.with(RmsNormCase.smallest(), "x=integer," + size);
  }

  @Override
  public RmsNormCase huge(RmsNormCase c) {
    return CaseText.with(RmsNormCase.smallest(), "width=65536");
  }

  @Override
  public List<Rule<RmsNormCase>> rules() {
    return Stream.concat(
            Stream.of(
                Rule.of("N1", "exact", this::bound),
                Rule.of("N2", "non_finite_x", this::nonFinite),
                Rule.of("N3", "row_of_zeros", this::zeros),
                Rule.of("N4", "scale_invariance", this::scaled)
                    .on(c -> CaseText.with(c, "epsilon=0.0")),
                Rule.of("N5", "in_place", this::bound).on(c -> CaseText.with(c, "inPlace=true"))),
            KernelRules.of(this, "N6", List.of(Rule.of("N2", "non_finite_x", this::nonFinite)))
                .stream())
        .toList();
  }

  private Outcome bound(RmsNormCase c, Candidate target) {
    return check(c, RmsNormRun.Data.of(c), target, RmsNormRun::withinBounds);
  }

  private static Outcome check(RmsNormCase c, RmsNormRun.Data data, Candidate target, Judge judge) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      RmsNormRun run = RmsNormRun.open(c, data, target, memory);
      return judge.judge(run, run.call(workers, Prefill.NAN)).outcome(run::describe);
    }
  }

  private Outcome nonFinite(RmsNormCase c, Candidate target) {
    RmsNormRun.Data data = RmsNormRun.Data.of(c);
    Mix mix = new Mix(c.seed(), "non-finite");
    int bad = mix.below(c.rows());
    data.x()[bad * c.width() + mix.below(c.width())] = LinearRules.nonFinite(mix);
    return check(
        c,
        data,
        target,
        (run, result) -> {
          Verdict verdict = run.withinBounds(result); // the other rows
          float[] y = Run.floats(result);
          for (int i = 0; i < c.width(); i++) {
            verdict.nan("y", bad, i, y[bad * c.width() + i]);
          }
          return verdict;
        });
  }

  private Outcome zeros(RmsNormCase c, Candidate target) {
    RmsNormRun.Data data = RmsNormRun.Data.of(c);
    Arrays.fill(data.x(), 0, c.width(), 0);
    return check(c, data, target, RmsNormRun::withinBounds);
  }

  private Outcome scaled(RmsNormCase c, Candidate target) {
    RmsNormRun.Data data = RmsNormRun.Data.of(c);
    float[] x = data.x().clone();
    boolean wide = c.x() == Values.WIDE; // it would leave 2^-50 .. 2^50, where N1 ends
    int most = wide ? 9 : 30;
    int exponent = new Mix(c.seed(), "scale").below(2 * most + 1) - most;
    for (int i = 0; i < x.length; i++) {
      data.x()[i] = Math.scalb(x[i], exponent);
    }
    return check(c, data, target, (run, result) -> run.withinBounds(result, x));
  }
}

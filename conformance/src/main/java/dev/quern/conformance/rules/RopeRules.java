package dev.quern.conformance.rules;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.RopeCase;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Declaration.Query;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.judge.Verdict;
import dev.quern.conformance.oracle.Bounds;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.RopeRun;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.op.RopePairing;
import dev.quern.spi.Offer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/// Section R of SPEC.md.
public final class RopeRules implements OperatorSuite<RopeCase> {
  @Override
  public String name() {
    return "rope";
  }

  @Override
  public Class<RopeCase> caseType() {
    return RopeCase.class;
  }

  @Override
  public List<Subject<RopeCase>> subjects(Candidate target) {
    return Arrays.stream(RopePairing.values())
        .map(pairing ->
            new Subject<>(
                label(pairing),
                edges(RopeCase.of(pairing)),
                () -> arbitrary(pairing),
                () -> ModelCases.rope(RopeCase.of(pairing))))
        .toList();
  }

  private static String label(RopePairing pairing) {
    return pairing.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static List<RopeCase> edges(RopeCase first) {
    return Stream.of(
            "rows=1",
            "heads=3,halfDim=33,rows=24",
            "heads=2,halfDim=32,rows=33",
            "heads=1,halfDim=64,firstPosition=4000",
            "heads=2,halfDim=5,rows=4,firstPosition=7,spare=3,xPad=5,tablePad=3",
            "heads=2,halfDim=8,rows=2,firstPosition=1,x=one-hot",
            "heads=4,halfDim=8,rows=9,schedule=4/threads")
        .map(changes -> CaseText.with(first, changes))
        .toList();
  }

  private static Arbitrary<RopeCase> arbitrary(RopePairing pairing) {
    return Combinators.combine(
            Arbitraries.integers().between(1, 9),
            Sizes.near(80),
            Sizes.rows(),
            Arbitraries.frequencyOf(
                Tuple.of(1, Arbitraries.just(0)), Tuple.of(3, Sizes.near(5000))),
            Combinators.combine(Sizes.pad(), Sizes.pad(), Sizes.pad()).as(List::of),
            Arbitraries.of(Values.class),
            Sizes.schedule(),
            Sizes.seed())
        .as((heads, halfDim, rows, first, pads, x, schedule, seed) ->
            new RopeCase(
                pairing,
                heads,
                halfDim,
                rows,
                first,
                pads.get(0),
                pads.get(1),
                pads.get(2),
                x,
                schedule,
                seed));
  }

  @Override
  public Offer<?> offer(RopeCase c, Candidate target) {
    return target.provider().rope(c.spec());
  }

  @Override
  public Query query(RopeCase c) {
    return new Query(
        name(),
        List.of(label(c.pairing())),
        Map.of("heads", (long) c.heads(), "headDim", (long) c.headDim()));
  }

  @Override
  public Run open(RopeCase c, Candidate target, Memory memory) {
    return RopeRun.open(c, RopeRun.Data.of(c), target, memory);
  }

  /// Its table is no longer than the batch asks for, since it has a stride too.
  @Override
  public RopeCase wide(RopeCase c) {
    return Strides.wide(CaseText.with(c, "firstPosition=" + c.firstPosition() % 10));
  }

  @Override
  public RopeCase large(RopeCase c) {
    String size =
        c.rows() == 1
            ? "heads=64,halfDim=128"
            : c.rows() < 9 ? "heads=32,halfDim=64,rows=18" : "heads=4,halfDim=64,rows=601";
    return CaseText.with(RopeCase.of(c.pairing()), "x=integer," + size);
  }

  @Override
  public RopeCase manyTasks(RopeCase c) {
    return CaseText.with(
        c, String.format(Locale.ROOT, "rows=264,halfDim=%d", Math.min(c.halfDim(), 6)));
  }

  @Override
  public RopeCase huge(RopeCase c) {
    return CaseText.with(RopeCase.of(c.pairing()), "heads=128,halfDim=256");
  }

  @Override
  public List<Rule<RopeCase>> rules() {
    return Stream.concat(
            Stream.of(
                Rule.of("R1", "exact", this::bound),
                Rule.of("R1", "rotation", this::undone)
                    .on(c -> CaseText.with(c, "x=normal"))
                    .effort(Rule.Effort.HALF),
                Rule.of("R2", "pairs", this::bound).on(c -> CaseText.with(c, "x=one-hot")),
                Rule.of("R3", "positions", this::bound)
                    .on(c ->
                        CaseText.with(
                            c,
                            String.format(
                                Locale.ROOT,
                                "x=normal,firstPosition=%d,spare=%d",
                                c.firstPosition() + 1,
                                c.spare() + 1))),
                Rule.of("R3", "any_table", this::anyTable).effort(Rule.Effort.SOME),
                Rule.of("R4", "non_finite", this::nonFinite),
                Rule.of("R5", "other_columns", this::otherColumns)
                    .on(c ->
                        CaseText.with(
                            c,
                            String.format(
                                Locale.ROOT, "rows=%d,xPad=%d", c.rows() + 1, c.xPad() + 1)))),
            KernelRules.of(this, "R6", List.of(Rule.of("R4", "non_finite", this::nonFinite)))
                .stream())
        .toList();
  }

  private Outcome bound(RopeCase c, Candidate target) {
    return Calls.judge(
        this, c, target, (run, workers) -> run.withinBounds(run.call(workers, Prefill.NAN)));
  }

  /// A table is numbers, and no rotation: some models scale it, and it may begin at any position.
  private Outcome anyTable(RopeCase c, Candidate target) {
    RopeRun.Data data = RopeRun.Data.of(c);
    Mix mix = new Mix(c.seed(), "table");
    for (int i = 0; i < data.table().length; i++) {
      data.table()[i] = Float.isNaN(data.table()[i]) ? Float.NaN : (float) mix.normal();
    }
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      RopeRun run = RopeRun.open(c, data, target, memory);
      return run.withinBounds(run.call(workers, Prefill.NAN)).outcome(run.describe());
    }
  }

  private Outcome otherColumns(RopeCase c, Candidate target) {
    return Calls.judge(
        this,
        c,
        target,
        (run, workers) -> {
          Verdict verdict = run.withinBounds(run.call(workers, Prefill.NAN));
          run.strayWrite().ifPresent(w -> verdict.fail(w, "unchanged", "written to"));
          return verdict;
        });
  }

  /// A rotation keeps a pair's norm, and the conjugate table (sines negated) undoes it.
  private Outcome undone(RopeCase c, Candidate target) {
    RopeRun.Data data = RopeRun.Data.of(c);
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      float[] there = Run.floats(RopeRun.open(c, data, target, memory).call(workers, Prefill.NAN));
      float[] conjugate = data.table().clone();
      for (int i = 0; i < conjugate.length; i++) {
        if (i % c.headDim() >= c.halfDim()) {
          conjugate[i] = -conjugate[i];
        }
      }
      RopeRun.Data turned = new RopeRun.Data(there, conjugate);
      float[] back = Run.floats(RopeRun.open(c, turned, target, memory).call(workers, Prefill.NAN));
      Verdict verdict = new Verdict();
      int cols = c.heads() * c.headDim();
      for (int r = 0; r < c.rows(); r++) {
        for (int pair = 0; pair < c.heads() * c.halfDim(); pair++) {
          int first = RopeRun.first(c, pair / c.halfDim(), pair % c.halfDim());
          int second = RopeRun.partner(c, first);
          double a = data.x()[r * cols + first];
          double b = data.x()[r * cols + second];
          // Twice R1's bound, the first of them rotated, and the table's own rounding.
          double bound = 16 * Bounds.U * (Math.abs(a) + Math.abs(b)) + 16 * Bounds.TINY;
          verdict.close("x, turned back", r, first, a, back[r * cols + first], bound);
          verdict.close("x, turned back", r, second, b, back[r * cols + second], bound);
          double norm = Math.hypot(there[r * cols + first], there[r * cols + second]);
          verdict.close("norm of the pair, x", r, first, Math.hypot(a, b), (float) norm, bound);
        }
      }
      return verdict.outcome();
    }
  }

  private Outcome nonFinite(RopeCase c, Candidate target) {
    RopeRun.Data data = RopeRun.Data.of(c);
    Mix mix = new Mix(c.seed(), "non-finite");
    int cols = c.heads() * c.headDim();
    int row = mix.below(c.rows());
    int first = RopeRun.first(c, mix.below(c.heads()), mix.below(c.halfDim()));
    int second = RopeRun.partner(c, first);
    data.x()[row * cols + (mix.oneIn(2) ? first : second)] = LinearRules.nonFinite(mix);
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      RopeRun run = RopeRun.open(c, data, target, memory);
      byte[] result = run.call(workers, Prefill.NAN);
      Verdict verdict = run.withinBounds(result); // the other pairs
      float[] x = Run.floats(result);
      for (int col : new int[] {first, second}) {
        if (Float.isFinite(x[row * cols + col])) {
          verdict.fail(
              String.format(Locale.ROOT, "x[%d][%d]", row, col),
              "a non-finite value",
              Float.toString(x[row * cols + col]));
        }
      }
      return verdict.outcome(run::describe);
    }
  }
}

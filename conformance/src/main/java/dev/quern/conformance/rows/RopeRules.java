package dev.quern.conformance.rows;

import dev.quern.Operator;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.NonFinite;
import dev.quern.conformance.judge.Bounds;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Declaration.Query;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.Calls;
import dev.quern.conformance.rules.CompiledCases;
import dev.quern.conformance.rules.KernelRules;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.SpecCases;
import dev.quern.conformance.rules.Strides;
import dev.quern.conformance.rules.Subject;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/// Section R of SPEC.md.
public final class RopeRules implements RowRules<RopeCase, RopeKernel> {
  @Override
  public Operator<RopeSpec, RopeKernel> operator() {
    return Operator.ROPE;
  }

  @Override
  public Class<RopeCase> caseType() {
    return RopeCase.class;
  }

  @Override
  public List<Subject<RopeCase>> subjects(Candidate target) {
    return RopeCases.subjects();
  }

  @Override
  public List<List<String>> declaredNames() {
    return List.of(Arrays.stream(RopePairing.values()).map(RopeCases::label).toList());
  }

  @Override
  public List<String> declaredSizes() {
    return List.of("heads", "headDim");
  }

  @Override
  public Query query(RopeCase c) {
    return new Query(
        name(),
        List.of(RopeCases.label(c.pairing())),
        Map.of("heads", (long) c.heads(), "headDim", (long) c.headDim()));
  }

  @Override
  public Map<String, List<Integer>> sizesInModels() {
    return RopeCases.SIZES;
  }

  @Override
  public SpecCases specCases(SpecCases.Wanted wanted) {
    return RopeCases.ofModel(name(), wanted);
  }

  @Override
  public List<CompiledCases<RopeCase>> compiledCases() {
    return RopeCases.compiled();
  }

  /// The table of seed 1 is the usual one; others are turned by an angle, so that no two are alike.
  /// Its rows that the call must not use are NaN.
  @Override
  public RowData data(RopeCase c) {
    double turned = c.seed() == 1 ? 0 : new Mix(c.seed(), "table").uniform();
    int positions = c.firstPosition() + c.rows() + c.spare();
    float[] table = new float[Math.multiplyExact(positions, c.headDim())];
    Arrays.fill(table, Float.NaN);
    for (int r = 0; r < c.rows(); r++) {
      int position = c.firstPosition() + r;
      for (int j = 0; j < c.halfDim(); j++) {
        double angle = turned + position * StrictMath.pow(10_000, -(double) j / c.halfDim());
        table[position * c.headDim() + j] = (float) StrictMath.cos(angle);
        table[position * c.headDim() + c.halfDim() + j] = (float) StrictMath.sin(angle);
      }
    }
    return new RowData(
        c.x().fill(c.rows() * columns(c), columns(c), new Mix(c.seed(), "x")), table);
  }

  @Override
  public int columns(RopeCase c) {
    return c.heads() * c.headDim();
  }

  @Override
  public RowMatrices place(RowRun<RopeCase, RopeKernel> run, RopeCase c, RowData data) {
    F32Matrix x = run.inAndOut("x", data.first(), columns(c), c.xPad());
    return new RowMatrices(x, run.input("table", data.second(), c.headDim(), c.tablePad()), x);
  }

  @Override
  public void apply(RopeKernel kernel, RopeCase c, RowMatrices m, Workspace w) {
    kernel.apply(m.first(), m.second(), c.firstPosition(), w);
  }

  @Override
  public String rows(RopeCase c, int from, int to) {
    return String.format(
        Locale.ROOT,
        "rows=%d,firstPosition=%d,spare=%d",
        to - from,
        c.firstPosition() + from,
        c.spare() + c.rows() - to);
  }

  @Override
  public String next(RopeCase c, int rows, int more, long seed) {
    return String.format(
        Locale.ROOT,
        "rows=%d,firstPosition=%d,xPad=%d,tablePad=%d,seed=%d",
        rows,
        c.firstPosition() + more,
        c.xPad() + more,
        c.tablePad() + more,
        seed);
  }

  @Override
  public String boundRule() {
    return "R1";
  }

  /// Rules R1 to R3. Pairs with a non-finite element are left out: rule R4 has them.
  @Override
  public Judgement withinBounds(RopeCase c, RowData data, float[] result) {
    Judgement verdict = new Judgement();
    int columns = columns(c);
    for (int r = 0; r < c.rows(); r++) {
      int angles = (c.firstPosition() + r) * c.headDim();
      for (int pair = 0; pair < c.heads() * c.halfDim(); pair++) {
        int j = pair % c.halfDim();
        int first = c.first(pair / c.halfDim(), j);
        int second = c.partner(first);
        double cos = data.second()[angles + j];
        double sin = data.second()[angles + c.halfDim() + j];
        double a = data.first()[r * columns + first];
        double b = data.first()[r * columns + second];
        if (Double.isFinite(a) && Double.isFinite(b)) {
          float newA = result[r * columns + first];
          float newB = result[r * columns + second];
          verdict.close("x", r, first, a * cos - b * sin, newA, Bounds.rope(a, b, cos, sin));
          verdict.close("x", r, second, a * sin + b * cos, newB, Bounds.rope(b, a, cos, sin));
        }
      }
    }
    return verdict;
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
    RowData data = data(c);
    float[] table = data.second();
    Mix mix = new Mix(c.seed(), "table");
    for (int i = 0; i < table.length; i++) {
      table[i] = Float.isNaN(table[i]) ? Float.NaN : (float) mix.normal();
    }
    return check(c, data, target);
  }

  private Outcome otherColumns(RopeCase c, Candidate target) {
    return Calls.judge(
        this,
        c,
        target,
        (run, workers) -> {
          Judgement verdict = run.withinBounds(run.call(workers, Prefill.NAN));
          run.strayWrite().ifPresent(w -> verdict.fail(w, "unchanged", "written to"));
          return verdict;
        });
  }

  /// A rotation keeps a pair's norm, and the conjugate table (sines negated) undoes it.
  private Outcome undone(RopeCase c, Candidate target) {
    RowData data = data(c);
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      float[] there = Run.floats(open(c, data, target, memory).call(workers, Prefill.NAN));
      float[] conjugate = data.second().clone();
      for (int i = 0; i < conjugate.length; i++) {
        if (i % c.headDim() >= c.halfDim()) {
          conjugate[i] = -conjugate[i];
        }
      }
      RowData turned = new RowData(there, conjugate);
      float[] back = Run.floats(open(c, turned, target, memory).call(workers, Prefill.NAN));
      Judgement verdict = new Judgement();
      int columns = c.heads() * c.headDim();
      for (int r = 0; r < c.rows(); r++) {
        for (int pair = 0; pair < c.heads() * c.halfDim(); pair++) {
          int first = c.first(pair / c.halfDim(), pair % c.halfDim());
          int second = c.partner(first);
          double a = data.first()[r * columns + first];
          double b = data.first()[r * columns + second];
          // Twice R1's bound, the first of them rotated, and the table's own rounding.
          double bound = 16 * Bounds.U * (Math.abs(a) + Math.abs(b)) + 16 * Bounds.TINY;
          verdict.close("x, turned back", r, first, a, back[r * columns + first], bound);
          verdict.close("x, turned back", r, second, b, back[r * columns + second], bound);
          double norm = Math.hypot(there[r * columns + first], there[r * columns + second]);
          verdict.close("norm of the pair, x", r, first, Math.hypot(a, b), (float) norm, bound);
        }
      }
      return verdict.outcome();
    }
  }

  private Outcome nonFinite(RopeCase c, Candidate target) {
    RowData data = data(c);
    Mix mix = new Mix(c.seed(), "non-finite");
    int columns = columns(c);
    int row = mix.below(c.rows());
    int first = c.first(mix.below(c.heads()), mix.below(c.halfDim()));
    int second = c.partner(first);
    data.first()[row * columns + (mix.oneIn(2) ? first : second)] = NonFinite.any(mix);
    return check(
        c,
        data,
        target,
        x -> {
          Judgement verdict = withinBounds(c, data, x); // the other pairs
          for (int col : new int[] {first, second}) {
            if (Float.isFinite(x[row * columns + col])) {
              verdict.fail(
                  String.format(Locale.ROOT, "x[%d][%d]", row, col),
                  "a non-finite value",
                  Float.toString(x[row * columns + col]));
            }
          }
          return verdict;
        });
  }
}

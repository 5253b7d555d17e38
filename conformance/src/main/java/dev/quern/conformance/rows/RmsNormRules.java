package dev.quern.conformance.rows;

import dev.quern.Operator;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.NonFinite;
import dev.quern.conformance.cases.Values;
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
import dev.quern.conformance.rules.Subject;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/// Section N of SPEC.md.
public final class RmsNormRules implements RowRules<RmsNormCase, RmsNormKernel> {
  @Override
  public Operator<RmsNormSpec, RmsNormKernel> operator() {
    return Operator.RMSNORM;
  }

  @Override
  public Class<RmsNormCase> caseType() {
    return RmsNormCase.class;
  }

  @Override
  public List<Subject<RmsNormCase>> subjects(Candidate target) {
    return RmsNormCases.subjects();
  }

  @Override
  public List<List<String>> declaredNames() {
    return List.of(List.of(RmsNormCases.WHOLE_ROWS, RmsNormCases.GROUPS));
  }

  @Override
  public List<String> impliedNames() {
    return List.of(RmsNormCases.WHOLE_ROWS);
  }

  @Override
  public List<String> declaredSizes() {
    return List.of("width", "groups");
  }

  @Override
  public Query query(RmsNormCase c) {
    return new Query(
        name(),
        List.of(c.groups() == 1 ? RmsNormCases.WHOLE_ROWS : RmsNormCases.GROUPS),
        Map.of("width", (long) c.columns(), "groups", (long) c.groups()));
  }

  @Override
  public Map<String, List<Integer>> sizesInModels() {
    return RmsNormCases.SIZES;
  }

  @Override
  public SpecCases specCases(SpecCases.Wanted wanted) {
    return RmsNormCases.ofModel(name(), wanted);
  }

  @Override
  public List<CompiledCases<RmsNormCase>> compiledCases() {
    return List.of(new CompiledCases<>(List.of(RmsNormCase.smallest()), COMPILED_WIDTHS));
  }

  @Override
  public RowData data(RmsNormCase c) {
    return new RowData(
        c.x().fill(c.rows() * c.columns(), c.columns(), new Mix(c.seed(), "x")),
        Values.NORMAL.fill(c.width(), c.width(), new Mix(c.seed(), "weight")));
  }

  @Override
  public int columns(RmsNormCase c) {
    return c.columns();
  }

  @Override
  public RowMatrices place(RowRun<RmsNormCase, RmsNormKernel> run, RmsNormCase c, RowData data) {
    F32Matrix weight = run.input("weight", data.second(), c.width(), 0);
    if (c.inPlace()) {
      F32Matrix x = run.inAndOut("x and y", data.first(), c.columns(), c.xPad());
      return new RowMatrices(x, weight, run.again(x));
    }
    F32Matrix x = run.input("x", data.first(), c.columns(), c.xPad());
    return new RowMatrices(x, weight, run.output("y", c.rows(), c.columns(), c.yPad()));
  }

  @Override
  public void apply(RmsNormKernel kernel, RmsNormCase c, RowMatrices m, Workspace w) {
    kernel.apply(m.first(), m.second(), m.result(), w);
  }

  @Override
  public String next(RmsNormCase c, int rows, int more, long seed) {
    return String.format(
        Locale.ROOT,
        "rows=%d,xPad=%d,yPad=%d,seed=%d",
        rows,
        c.xPad() + more,
        c.yPad() + more,
        seed);
  }

  @Override
  public String boundRule() {
    return "N1";
  }

  /// Rules N1, N3 and N7. Groups with a non-finite element are left out: rule N2 has them.
  @Override
  public Judgement withinBounds(RmsNormCase c, RowData data, float[] y) {
    float[] x = data.first();
    Judgement verdict = new Judgement();
    for (int first = 0; first < x.length; first += c.width()) {
      double squares = 0;
      for (int i = 0; i < c.width(); i++) {
        double xi = x[first + i];
        squares += xi * xi;
      }
      double root = Math.sqrt(squares / c.width() + c.epsilon());
      for (int i = 0; i < c.width() && Double.isFinite(root); i++) {
        int at = first + i;
        double exact = x[at] / root * data.second()[i];
        if (Double.isNaN(exact)) {
          verdict.nan("y", at / c.columns(), at % c.columns(), y[at]);
        } else {
          double bound = Bounds.rmsNorm(c.width(), exact);
          verdict.close("y", at / c.columns(), at % c.columns(), exact, y[at], bound);
        }
      }
    }
    return verdict;
  }

  @Override
  public RmsNormCase manyTasks(RmsNormCase c) {
    return CaseText.with(
        c,
        String.format(
            Locale.ROOT,
            "rows=264,width=%d,groups=%d",
            Math.min(c.width(), 24),
            Math.min(c.groups(), 3)));
  }

  @Override
  public RmsNormCase large(RmsNormCase c) {
    String size =
        c.rows() == 1
            ? c.row(20000, 32)
            : c.rows() < 9 ? c.row(4100, 10) + ",rows=18" : c.row(500, 5) + ",rows=601";
    return CaseText.with(RmsNormCase.smallest(), "x=integer," + size);
  }

  @Override
  public RmsNormCase huge(RmsNormCase c) {
    return CaseText.with(RmsNormCase.smallest(), c.row(65536, 64));
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
                Rule.of("N5", "in_place", this::bound).on(c -> CaseText.with(c, "inPlace=true")),
                Rule.of("N7", "groups", this::groups).where(c -> c.groups() > 1),
                Rule.of("N7", "groups_alone", this::groupsAlone)
                    .where(c -> c.groups() > 1)
                    .effort(Rule.Effort.LOW)),
            KernelRules.of(this, "N6", List.of(Rule.of("N2", "non_finite_x", this::nonFinite)))
                .stream())
        .toList();
  }

  private Outcome bound(RmsNormCase c, Candidate target) {
    return check(c, data(c), target);
  }

  private Outcome nonFinite(RmsNormCase c, Candidate target) {
    RowData data = data(c);
    Mix mix = new Mix(c.seed(), "non-finite");
    int bad = c.width() * mix.below(c.rows() * c.groups());
    data.first()[bad + mix.below(c.width())] = NonFinite.any(mix);
    return check(
        c,
        data,
        target,
        y -> {
          Judgement verdict = withinBounds(c, data, y); // the other rows and groups
          for (int i = bad; i < bad + c.width(); i++) {
            verdict.nan("y", i / c.columns(), i % c.columns(), y[i]);
          }
          return verdict;
        });
  }

  private Outcome zeros(RmsNormCase c, Candidate target) {
    RowData data = data(c);
    Arrays.fill(data.first(), 0, c.width(), 0);
    return check(c, data, target);
  }

  /// Each group of a size of its own, so that no two have the same mean.
  private Outcome groups(RmsNormCase c, Candidate target) {
    RowData data = data(c);
    boolean wide = c.x() == Values.WIDE; // as below
    Mix mix = new Mix(c.seed(), "sizes");
    for (int first = 0; first < data.first().length; first += c.width()) {
      int exponent = mix.below(wide ? 19 : 61) - (wide ? 9 : 30);
      for (int i = first; i < first + c.width(); i++) {
        data.first()[i] = Math.scalb(data.first()[i], exponent);
      }
    }
    return check(c, data, target);
  }

  /// One group is changed, to NaN: no other may change a bit.
  private Outcome groupsAlone(RmsNormCase c, Candidate target) {
    RowData other = data(c);
    int changed = c.width() * new Mix(c.seed(), "changed").below(c.rows() * c.groups());
    Arrays.fill(other.first(), changed, changed + c.width(), Float.NaN);
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Run run = open(c, target, memory);
      byte[] expected = run.call(workers, Prefill.NAN);
      byte[] actual = open(c, other, target, memory).call(workers, Prefill.NAN);
      int at = Float.BYTES * changed;
      System.arraycopy(expected, at, actual, at, Float.BYTES * c.width());
      Judgement verdict = new Judgement();
      Calls.same(verdict, "beside another group", run, expected, actual);
      return verdict.outcome();
    }
  }

  private Outcome scaled(RmsNormCase c, Candidate target) {
    RowData data = data(c);
    RowData unscaled = new RowData(data.first().clone(), data.second());
    boolean wide = c.x() == Values.WIDE; // it would leave 2^-50 .. 2^50, where N1 ends
    int most = wide ? 9 : 30;
    int exponent = new Mix(c.seed(), "scale").below(2 * most + 1) - most;
    for (int i = 0; i < data.first().length; i++) {
      data.first()[i] = Math.scalb(unscaled.first()[i], exponent);
    }
    return check(c, data, target, y -> withinBounds(c, unscaled, y));
  }
}

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
import dev.quern.conformance.rows.SwiGluCase.Alias;
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
import dev.quern.op.Activation;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/// Section S of SPEC.md.
public final class SwiGluRules implements RowRules<SwiGluCase, SwiGluKernel> {
  @Override
  public Operator<SwiGluSpec, SwiGluKernel> operator() {
    return Operator.SWIGLU;
  }

  @Override
  public Class<SwiGluCase> caseType() {
    return SwiGluCase.class;
  }

  @Override
  public List<Subject<SwiGluCase>> subjects(Candidate target) {
    return SwiGluCases.subjects();
  }

  @Override
  public List<List<String>> declaredNames() {
    return List.of(Arrays.stream(Activation.values()).map(SwiGluCases::label).toList());
  }

  @Override
  public List<String> impliedNames() {
    return List.of(SwiGluCases.label(Activation.SILU));
  }

  @Override
  public List<String> declaredSizes() {
    return List.of("width");
  }

  @Override
  public Query query(SwiGluCase c) {
    return new Query(
        name(), List.of(SwiGluCases.label(c.activation())), Map.of("width", (long) c.width()));
  }

  @Override
  public Map<String, List<Integer>> sizesInModels() {
    return SwiGluCases.SIZES;
  }

  @Override
  public SpecCases specCases(SpecCases.Wanted wanted) {
    return SwiGluCases.ofModel(name(), wanted);
  }

  @Override
  public List<CompiledCases<SwiGluCase>> compiledCases() {
    return Arrays.stream(Activation.values())
        .map(a -> new CompiledCases<>(List.of(SwiGluCase.of(a)), COMPILED_WIDTHS))
        .toList();
  }

  @Override
  public RowData data(SwiGluCase c) {
    int count = c.rows() * c.width();
    float[] gate = c.gate().fill(count, c.width(), new Mix(c.seed(), "gate"));
    return new RowData(
        gate, c.alias().oneInput() ? gate : c.up().fill(count, c.width(), new Mix(c.seed(), "up")));
  }

  @Override
  public int columns(SwiGluCase c) {
    return c.width();
  }

  @Override
  public RowMatrices place(RowRun<SwiGluCase, SwiGluKernel> run, SwiGluCase c, RowData data) {
    Alias alias = c.alias();
    boolean gateIsY = alias == Alias.GATE || alias == Alias.ALL;
    F32Matrix gate =
        gateIsY
            ? run.inAndOut("gate and y", data.first(), c.width(), c.gatePad())
            : run.input("gate", data.first(), c.width(), c.gatePad());
    F32Matrix up =
        alias.oneInput()
            ? run.again(gate)
            : alias == Alias.UP
                ? run.inAndOut("up and y", data.second(), c.width(), c.upPad())
                : run.input("up", data.second(), c.width(), c.upPad());
    F32Matrix y =
        switch (alias) {
          case NONE, INPUTS -> run.output("y", c.rows(), c.width(), c.yPad());
          case GATE, ALL -> run.again(gate);
          case UP -> run.again(up);
        };
    return new RowMatrices(gate, up, y);
  }

  @Override
  public void apply(SwiGluKernel kernel, SwiGluCase c, RowMatrices m, Workspace w) {
    kernel.apply(m.first(), m.second(), m.result(), w);
  }

  @Override
  public RowData rows(SwiGluCase c, RowData data, int from, int to) {
    return new RowData(
        RowData.rows(data.first(), c.width(), from, to),
        RowData.rows(data.second(), c.width(), from, to));
  }

  @Override
  public String next(SwiGluCase c, int rows, int more, long seed) {
    return String.format(
        Locale.ROOT,
        "rows=%d,gatePad=%d,upPad=%d,yPad=%d,seed=%d",
        rows,
        c.gatePad() + more,
        c.upPad() + more,
        c.yPad() + more,
        seed);
  }

  @Override
  public String boundRule() {
    return "S1";
  }

  /// Rule S1. Elements whose gate or up is not finite are left out: rule S3 has them.
  @Override
  public Judgement withinBounds(SwiGluCase c, RowData data, float[] y) {
    Judgement verdict = new Judgement();
    for (int i = 0; i < y.length; i++) {
      double g = data.first()[i];
      double u = data.second()[i];
      if (Double.isFinite(g) && Double.isFinite(u)) {
        boolean gelu = c.activation() == Activation.GELU_TANH;
        double z = gelu ? 2 * Math.sqrt(2 / Math.PI) * (g + 0.044715 * g * g * g) : g;
        double exact = g / (1 + Math.exp(-z)) * u; // (1 + tanh(z / 2)) / 2 = 1 / (1 + exp(-z))
        double bound = gelu ? Bounds.geGlu(g, u, exact) : Bounds.swiGlu(g, u, exact);
        verdict.close("y", i / c.width(), i % c.width(), exact, y[i], bound);
      }
    }
    return verdict;
  }

  @Override
  public SwiGluCase manyTasks(SwiGluCase c) {
    return CaseText.with(
        c, String.format(Locale.ROOT, "rows=264,width=%d", Math.min(c.width(), 40)));
  }

  @Override
  public SwiGluCase large(SwiGluCase c) {
    String size =
        c.rows() == 1 ? "width=20000" : c.rows() < 9 ? "width=4100,rows=18" : "width=500,rows=601";
    return CaseText.with(SwiGluCase.of(c.activation()), "gate=wide,up=integer," + size);
  }

  @Override
  public SwiGluCase huge(SwiGluCase c) {
    return CaseText.with(SwiGluCase.of(c.activation()), "width=65536");
  }

  @Override
  public List<Rule<SwiGluCase>> rules() {
    return Stream.concat(
            Stream.of(
                Rule.of("S1", "exact", this::bound),
                Rule.of("S2", "large_gates", this::largeGates)
                    .on(c -> c.alias().oneInput() ? CaseText.with(c, "alias=none") : c),
                Rule.of("S3", "non_finite", this::nonFinite),
                Rule.of("S4", "in_place", this::bound)
                    .on(c -> CaseText.with(c, "alias=" + (c.seed() % 2 == 0 ? "gate" : "up"))),
                Rule.of("S4", "one_input", this::bound)
                    .on(c -> CaseText.with(c, "alias=" + (c.seed() % 2 == 0 ? "inputs" : "all")))
                    .effort(Rule.Effort.SOME),
                Rule.of("S5", "elements_alone", this::elementsAlone).effort(Rule.Effort.LOW)),
            KernelRules.of(this, "S5", List.of(Rule.of("S3", "non_finite", this::nonFinite)))
                .stream())
        .toList();
  }

  private Outcome bound(SwiGluCase c, Candidate target) {
    return judged(c, data(c), target);
  }

  /// Rules S1 and S3.
  private Outcome judged(SwiGluCase c, RowData data, Candidate target) {
    return check(
        c,
        data,
        target,
        y -> {
          Judgement verdict = withinBounds(c, data, y);
          for (int i = 0; i < y.length; i++) {
            boolean finite = Float.isFinite(data.first()[i]) && Float.isFinite(data.second()[i]);
            if (!finite && Float.isFinite(y[i])) {
              verdict.fail(
                  String.format(Locale.ROOT, "y[%d][%d]", i / c.width(), i % c.width()),
                  "a non-finite value",
                  Float.toString(y[i]));
            }
          }
          return verdict;
        });
  }

  /// Gates around the ends of what exp can take in F32 (88.7 and -103.9), and far beyond them. GELU
  /// has these ends at 10.1 and -10.7, and that of what tanh can tell from 1 at 5.2.
  private Outcome largeGates(SwiGluCase c, Candidate target) {
    RowData data = data(CaseText.with(c, "up=normal"));
    Mix mix = new Mix(c.seed(), "large");
    for (int i = 0; i < data.first().length; i++) {
      double near = c.activation() == Activation.GELU_TANH ? 3 : 80;
      double beyond = c.activation() == Activation.GELU_TANH ? 9 : 30;
      double magnitude = mix.oneIn(3) ? 1e30 : near + beyond * mix.uniform();
      data.first()[i] = (float) (mix.oneIn(2) ? magnitude : -magnitude);
    }
    return judged(c, data, target);
  }

  /// Each kind of number in an element of gate, and in one of up.
  private Outcome nonFinite(SwiGluCase c, Candidate target) {
    RowData data = data(c);
    Mix mix = new Mix(c.seed(), "non-finite");
    for (float[] operand : List.of(data.first(), data.second())) {
      for (float bad : NonFinite.ALL) {
        operand[mix.below(operand.length)] = bad;
      }
    }
    return judged(c, data, target);
  }

  /// One element is changed, to NaN: no other may change a bit.
  private Outcome elementsAlone(SwiGluCase c, Candidate target) {
    RowData other = data(c);
    int changed = new Mix(c.seed(), "changed").below(other.first().length);
    other.first()[changed] = 3;
    other.second()[changed] = Float.NaN;
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Run run = open(c, target, memory);
      byte[] expected = run.call(workers, Prefill.NAN);
      byte[] actual = open(c, other, target, memory).call(workers, Prefill.NAN);
      System.arraycopy(expected, 4 * changed, actual, 4 * changed, 4);
      Judgement verdict = new Judgement();
      Calls.same(verdict, "beside another element", run, expected, actual);
      return verdict.outcome();
    }
  }
}

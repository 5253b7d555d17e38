package dev.quern.conformance.rules;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.SwiGluCase;
import dev.quern.conformance.cases.Values;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Declaration.Query;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.judge.Verdict;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.SwiGluRun;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.spi.Offer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/// Section S of SPEC.md.
public final class SwiGluRules implements OperatorSuite<SwiGluCase> {
  @Override
  public String name() {
    return "swiglu";
  }

  @Override
  public Class<SwiGluCase> caseType() {
    return SwiGluCase.class;
  }

  @Override
  public List<Subject<SwiGluCase>> subjects(Candidate target) {
    SwiGluCase first = SwiGluCase.smallest();
    return List.of(
        new Subject<>(
            "F32",
            Stream.of(
                    "width=1",
                    "width=259,rows=24",
                    "width=172,rows=33",
                    "width=5,rows=4,gatePad=3,upPad=1,yPad=2",
                    "width=17,rows=2,alias=gate,gatePad=2",
                    "width=17,rows=2,alias=up,upPad=2",
                    "width=64,gate=wide",
                    "width=4099,rows=2",
                    "width=31,rows=9,schedule=4/threads")
                .map(changes -> CaseText.with(first, changes))
                .toList(),
            SwiGluRules::arbitrary,
            () -> ModelCases.swiGlu(first)));
  }

  private static Arbitrary<SwiGluCase> arbitrary() {
    return Combinators.combine(
            Sizes.near(600),
            Sizes.rows(),
            Combinators.combine(Sizes.pad(), Sizes.pad(), Sizes.pad()).as(List::of),
            Arbitraries.of(SwiGluCase.Alias.class),
            Arbitraries.of(Values.class),
            Arbitraries.of(Values.class),
            Sizes.schedule(),
            Sizes.seed())
        .as((width, rows, pads, alias, gate, up, schedule, seed) ->
            new SwiGluCase(
                width,
                rows,
                pads.get(0),
                pads.get(1),
                pads.get(2),
                alias,
                gate,
                up,
                schedule,
                seed));
  }

  @Override
  public Offer<?> offer(SwiGluCase c, Candidate target) {
    return target.provider().swiGlu(c.spec());
  }

  @Override
  public Query query(SwiGluCase c) {
    return new Query(name(), List.of(), Map.of("width", (long) c.width()));
  }

  @Override
  public Run open(SwiGluCase c, Candidate target, Memory memory) {
    return SwiGluRun.open(c, SwiGluRun.Data.of(c), target, memory);
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
    return CaseText.with(SwiGluCase.smallest(), "gate=wide,up=integer," + size);
  }

  @Override
  public SwiGluCase huge(SwiGluCase c) {
    return CaseText.with(SwiGluCase.smallest(), "width=65536");
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
    return check(c, SwiGluRun.Data.of(c), target);
  }

  private static Outcome check(SwiGluCase c, SwiGluRun.Data data, Candidate target) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      SwiGluRun run = SwiGluRun.open(c, data, target, memory);
      byte[] result = run.call(workers, Prefill.NAN);
      Verdict verdict = run.withinBounds(result);
      float[] y = Run.floats(result);
      for (int i = 0; i < y.length; i++) {
        boolean finite = Float.isFinite(data.gate()[i]) && Float.isFinite(data.up()[i]);
        if (!finite && Float.isFinite(y[i])) { // rule S3
          verdict.fail(
              String.format(Locale.ROOT, "y[%d][%d]", i / c.width(), i % c.width()),
              "a non-finite value",
              Float.toString(y[i]));
        }
      }
      return verdict.outcome(run::describe);
    }
  }

  /// Gates around the ends of what exp can take in F32 (88.7 and -103.9), and far beyond them.
  private Outcome largeGates(SwiGluCase c, Candidate target) {
    SwiGluRun.Data data = SwiGluRun.Data.of(CaseText.with(c, "up=normal"));
    Mix mix = new Mix(c.seed(), "large");
    for (int i = 0; i < data.gate().length; i++) {
      double magnitude = mix.oneIn(3) ? 1e30 : 80 + 30 * mix.uniform();
      data.gate()[i] = (float) (mix.oneIn(2) ? magnitude : -magnitude);
    }
    return check(c, data, target);
  }

  /// Each kind of number in an element of gate, and in one of up.
  private Outcome nonFinite(SwiGluCase c, Candidate target) {
    SwiGluRun.Data data = SwiGluRun.Data.of(c);
    Mix mix = new Mix(c.seed(), "non-finite");
    for (float[] operand : List.of(data.gate(), data.up())) {
      for (float bad : LinearRules.NON_FINITE) {
        operand[mix.below(operand.length)] = bad;
      }
    }
    return check(c, data, target);
  }

  /// One element is changed, to NaN: no other may change a bit.
  private Outcome elementsAlone(SwiGluCase c, Candidate target) {
    SwiGluRun.Data data = SwiGluRun.Data.of(c);
    SwiGluRun.Data other = SwiGluRun.Data.of(c);
    int changed = new Mix(c.seed(), "changed").below(data.gate().length);
    other.gate()[changed] = 3;
    other.up()[changed] = Float.NaN;
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      SwiGluRun run = SwiGluRun.open(c, data, target, memory);
      byte[] expected = run.call(workers, Prefill.NAN);
      byte[] actual = SwiGluRun.open(c, other, target, memory).call(workers, Prefill.NAN);
      System.arraycopy(expected, 4 * changed, actual, 4 * changed, 4);
      Verdict verdict = new Verdict();
      Calls.same(verdict, "beside another element", run, expected, actual);
      return verdict.outcome();
    }
  }
}

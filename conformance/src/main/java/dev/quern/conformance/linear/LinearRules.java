package dev.quern.conformance.linear;

import dev.quern.Operator;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.NonFinite;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Declaration.Query;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.Calls;
import dev.quern.conformance.rules.CompiledCases;
import dev.quern.conformance.rules.InvarianceRule;
import dev.quern.conformance.rules.KernelRules;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.SpecCases;
import dev.quern.conformance.rules.StateRules;
import dev.quern.conformance.rules.Subject;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.BlockFormat;
import dev.quern.op.Kernel;
import dev.quern.op.Numerics;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Section L of SPEC.md, and F1, which a linear kernel shows.
public final class LinearRules implements OperatorSuite<LinearCase> {
  private static final Predicate<LinearCase> EXACT =
      c -> c.numerics().equals(Numerics.EXACT_F32.id());
  private static final Predicate<LinearCase> SYMMETRIC =
      c ->
          c.numerics().equals(Numerics.INT8_SYM_32.id())
              || c.numerics().equals(Numerics.INT8_SYM_256.id())
              || c.numerics().equals(Numerics.INT8_SYM_32_F16.id());
  private static final Predicate<LinearCase> ASYMMETRIC =
      c -> c.numerics().equals(Numerics.INT8_ASYM_ROW.id());

  private static final Predicate<LinearCase> INT8 = SYMMETRIC.or(ASYMMETRIC);
  private static final Predicate<LinearCase> BF16 = c -> c.numerics().equals(Numerics.BF16.id());

  /// Products of a large case that may be made three times.
  private static final long FEW_PRODUCTS = 7_000_000;

  /// Weights of a large case that may be packed three times.
  private static final long FEW_WEIGHTS = 1L << 20;

  /// What becomes of a run: the values of y, judged.
  private interface Judge {
    Judgement judge(LinearRun run, float[] y);
  }

  @Override
  public Operator<?, ?> operator() {
    return Operator.LINEAR;
  }

  @Override
  public Class<LinearCase> caseType() {
    return LinearCase.class;
  }

  @Override
  public List<Subject<LinearCase>> subjects(Candidate target) {
    return LinearCases.subjects(target);
  }

  @Override
  public List<List<String>> declaredNames() {
    return List.of(
        BlockFormat.standard().stream().map(BlockFormat::id).toList(),
        Numerics.standard().stream().map(Numerics::id).toList(),
        List.of(LinearCase.NO_BIAS, LinearCase.BIAS));
  }

  @Override
  public Map<String, String> namesByRule() {
    return Map.of("L14", LinearCase.BIAS);
  }

  @Override
  public List<String> impliedNames() {
    return List.of("", "", LinearCase.NO_BIAS);
  }

  @Override
  public List<String> declaredSizes() {
    return List.of("outputs", "inputs");
  }

  @Override
  public Query query(LinearCase c) {
    return new Query(
        name(),
        List.of(c.format(), c.numerics(), c.bias() ? LinearCase.BIAS : LinearCase.NO_BIAS),
        Map.of("outputs", (long) c.totalOutputs(), "inputs", (long) c.inputs()));
  }

  @Override
  public Map<String, List<Integer>> sizesInModels() {
    return LinearCases.SIZES;
  }

  @Override
  public SpecCases specCases(SpecCases.Wanted wanted) {
    return LinearCases.ofModel(name(), wanted);
  }

  @Override
  public List<CompiledCases<LinearCase>> compiledCases() {
    return LinearCases.compiled();
  }

  @Override
  public Run open(LinearCase c, Candidate target, Memory memory) {
    return LinearRun.open(c, target, memory);
  }

  @Override
  public LinearCase manyTasks(LinearCase c) {
    int block = c.blockFormat().blockElements();
    return CaseText.with(
        c,
        String.format(
            Locale.ROOT,
            "rows=%d,outputs=250+14,inputs=%d,schedule=1/sequential",
            Math.min(c.rows(), 2),
            block == 1 ? Math.min(c.inputs(), 33) : block));
  }

  @Override
  public LinearCase large(LinearCase c) {
    LinearCase first = LinearCase.of(c.blockFormat(), c.numerics());
    String size =
        c.rows() == 1
            ? "outputs=8,inputs=16384"
            : c.rows() < 9 ? "rows=18,outputs=7,inputs=2048" : "rows=601,outputs=3,inputs=256";
    return CaseText.with(first, "x=integer,weights=wide," + size); // drawn fast
  }

  /// Many outputs, or long rows: with both at once the weights would be too many.
  @Override
  public LinearCase huge(LinearCase c) {
    int block = c.blockFormat().blockElements();
    LinearCase first = LinearCase.of(c.blockFormat(), c.numerics());
    return CaseText.with(
        first,
        (c.rows() == 1 ? "weights=zero,outputs=2,inputs=65536" : "outputs=20000,inputs=" + block)
            + ",accumulate="
            + (c.rows() > 1));
  }

  @Override
  public Kernel kernel(LinearCase c, Candidate target, Memory memory) {
    return LinearRun.open(c, PackRules.repeated(c, c.seed()), target, memory).kernel();
  }

  @Override
  public List<Rule<LinearCase>> rules() {
    return Stream.of(
            Stream.of(
                bound("L1", "any_rows").on(c -> CaseText.with(c, "x=normal,weights=normal")),
                bound("L2", "stacking").on(LinearRules::stacked),
                Rule.of("L2", "many_matrices", PackRules::manyMatrices)
                    .on(PackRules::many)
                    .effort(Rule.Effort.SOME),
                Rule.of("L3", "strides", judged(LinearRules::strides)).on(LinearRules::padded),
                bound("L5", "exact_f32").where(EXACT),
                Rule.of("L5", "what_y_held", AccumulateRule::check)
                    .on(AccumulateRule::accumulates)
                    .effort(Rule.Effort.SOME),
                Rule.of("L5", "what_wide_y_held", AccumulateRule::check)
                    .on(AccumulateRule::large)
                    .effort(Rule.Effort.HEAVY),
                bound("L6", "int8_symmetric").where(SYMMETRIC).on(LinearRules::showX),
                bound("L7", "int8_asymmetric").where(ASYMMETRIC).on(LinearRules::showX),
                bound("L8", "ties")
                    .where(INT8)
                    .on(c -> CaseText.with(showX(c), "x=ties"))
                    .effort(Rule.Effort.HALF),
                bound("L9", "int8_model").where(INT8),
                Rule.of("L9", "int8_distance", judged(LinearBounds::wide)).where(INT8),
                bound("L13", "bf16_model").where(BF16),
                Rule.of("L13", "bf16_distance", judged(LinearBounds::wide)).where(BF16),
                Rule.of("L13", "bf16_ties", LinearRules::bf16Ties)
                    .where(BF16)
                    .on(LinearRules::showX)
                    .effort(Rule.Effort.HALF),
                bound("F1", "decoded_weights")
                    .on(c -> CaseText.with(c, "x=one-hot,accumulate=false")),
                bound("P6", "any_numerics")
                    .on(c -> CaseText.with(c, "numerics=any"))
                    .effort(Rule.Effort.HALF),
                Rule.of("P21", "any_numerics", new InvarianceRule<>(this)::check)
                    .on(c -> CaseText.with(c, "numerics=any"))
                    .effort(Rule.Effort.SOME),
                Rule.of("P12", "one_packer", Calls.ifRight(this, PackerRule::check))
                    .effort(Rule.Effort.LOW),
                Rule.of("P12", "large_packer", Calls.ifRight(this, PackerRule::check))
                    .on(StateRules::longRow)
                    .effort(Rule.Effort.LARGE_KERNELS),
                Rule.of("P16", "source_released", PackRules::sourceReleased)
                    .effort(Rule.Effort.HALF),
                Rule.of("P16", "nowhere_else", PackRules::nowhereElse)
                    .on(c -> CaseText.with(c, "schedule=1/sequential"))
                    .effort(Rule.Effort.SOME),
                Rule.of("P8", "large_source", PackRules::largeSource)
                    .on(PackRules::large)
                    .effort(Rule.Effort.HEAVY),
                Rule.of("P16", "large_weights", PackRules::largeWeights)
                    .on(PackRules::large)
                    .effort(Rule.Effort.LARGE_KERNELS),
                TwoGibRule.rule(),
                Rule.of("L10", "non_finite_x", LinearRules::nonFiniteX).effort(Rule.Effort.HALF),
                Rule.of("L11", "non_finite_weight", LinearRules::nonFiniteWeight)
                    .effort(Rule.Effort.HALF)),
            KernelRules.of(
                this,
                "L4",
                List.of(
                    Rule.<LinearCase>of("L10", "non_finite_x", LinearRules::nonFiniteX)
                        .where(c -> c.rows() * weights(c) <= FEW_PRODUCTS),
                    Rule.<LinearCase>of("L11", "non_finite_weight", LinearRules::nonFiniteWeight)
                        .where(c ->
                            c.rows() * weights(c) <= FEW_PRODUCTS && weights(c) <= FEW_WEIGHTS)))
                .stream(),
            BiasRules.rules(),
            PackWorkersRules.rules().stream())
        .flatMap(rules -> rules)
        .toList();
  }

  private static long weights(LinearCase c) {
    return (long) c.totalOutputs() * c.inputs();
  }

  private static Rule<LinearCase> bound(String id, String name) {
    return Rule.of(id, name, judged(LinearBounds::tight));
  }

  private static Rule.Check<LinearCase> judged(Judge judge) {
    return (c, target) -> check(c, LinearData.of(c), target, judge);
  }

  private static Outcome check(LinearCase c, LinearData data, Candidate target, Judge judge) {
    try (Memory memory = Calls.memory(c);
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearRun run = LinearRun.open(c, data, target, memory);
      byte[] y = run.call(workers, Prefill.NAN);
      return judge.judge(run, Run.floats(y)).outcome(run::describe);
    }
  }

  private static Judgement strides(LinearRun run, float[] y) {
    Judgement verdict = LinearBounds.tight(run, y); // NaN lies between the rows of x
    run.strayWrite().ifPresent(w -> verdict.fail(w, "unchanged", "written to"));
    return verdict;
  }

  private static LinearCase stacked(LinearCase c) {
    return c.outputs().size() > 1 ? c : CaseText.with(c, "outputs=3+" + c.outputs().getFirst());
  }

  private static LinearCase padded(LinearCase c) {
    return CaseText.with(
        c,
        String.format(
            Locale.ROOT, "rows=%d,xPad=%d,yPad=%d", c.rows() + 1, c.xPad() + 1, c.yPad() + 3));
  }

  /// Weights of one 1 per output: y is x as the kernel represents it.
  private static LinearCase showX(LinearCase c) {
    return CaseText.with(c, "weights=one-hot,accumulate=false");
  }

  private static Outcome nonFiniteX(LinearCase c, Candidate target) {
    LinearData data = LinearData.of(c);
    Mix mix = new Mix(c.seed(), "non-finite");
    int bad = mix.below(c.rows());
    for (int n = mix.below(3); n >= 0; n--) {
      data.x()[bad * c.inputs() + mix.below(c.inputs())] = NonFinite.any(mix);
    }
    return check(
        c,
        data,
        target,
        (run, y) -> {
          Judgement verdict = LinearBounds.tight(run, y); // the other rows
          for (int o = 0; o < c.totalOutputs(); o++) {
            verdict.nan("y", bad, o, y[bad * c.totalOutputs() + o]);
          }
          return verdict;
        });
  }

  /// Every second x lies between two BF16 numbers, and shows in one output.
  private static Outcome bf16Ties(LinearCase c, Candidate target) {
    LinearData data = LinearData.of(c);
    for (int i = 0; i < data.x().length; i += 2) {
      int upper = Float.floatToRawIntBits(data.x()[i]) & 0xFFFF_0000;
      data.x()[i] = Float.intBitsToFloat(upper | 0x8000);
    }
    return check(c, data, target, LinearBounds::tight);
  }

  /// One weight, or one scale, of one output is NaN or infinite: that output is not finite where a
  /// row of x has something to multiply with it, and the others are what they would be without it.
  private static Outcome nonFiniteWeight(LinearCase c, Candidate target) {
    LinearData clean = LinearData.of(c);
    LinearData damaged = LinearData.of(c);
    Mix mix = new Mix(c.seed(), "non-finite");
    int matrix = mix.below(c.outputs().size());
    int row = mix.below(c.outputs().get(matrix));
    int block = mix.below(c.blockFormat().blocksPerRow(c.inputs()));
    damage(c.blockFormat(), damaged.weights().get(matrix), row, block, c.inputs(), mix);
    int bad = c.outputs().stream().limit(matrix).mapToInt(Integer::intValue).sum() + row;
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearRun run = LinearRun.open(c, clean, target, memory);
      float[] y = Run.floats(run.call(workers, Prefill.NAN));
      LinearRun other = LinearRun.open(c, damaged, target, memory);
      float[] yDamaged = Run.floats(other.call(workers, Prefill.NAN));
      Judgement verdict = new Judgement();
      for (int r = 0; r < c.rows(); r++) {
        int at = r * c.totalOutputs() + bad;
        if (Float.isFinite(yDamaged[at]) && meets(c, clean.x(), r, block)) {
          verdict.fail(
              String.format(Locale.ROOT, "y[%d][%d]", r, bad),
              "NaN or infinite",
              Float.toString(yDamaged[at]));
        }
        yDamaged[at] = y[at]; // which of them it is, is the kernel's affair
      }
      verdict.add(LinearBounds.tight(run, yDamaged));
      return verdict.outcome(other::describe);
    }
  }

  /// Whether a row of x holds a number that meets a block of weights and counts (P20).
  private static boolean meets(LinearCase c, float[] x, int row, int block) {
    boolean wholeRow = c.format().equals(BlockFormat.INT8_C.id());
    int n = wholeRow ? c.inputs() : c.blockFormat().blockElements();
    int from = row * c.inputs() + (wholeRow ? 0 : block * n);
    for (int i = from; i < from + n; i++) {
      if (Math.abs(x[i]) >= Float.MIN_NORMAL) {
        return true;
      }
    }
    return false;
  }

  static void damage(
      BlockFormat format, WeightBytes bytes, int row, int blockOfRow, int inputs, Mix mix) {
    int block = row * format.blocksPerRow(inputs) + blockOfRow;
    ByteBuffer data = ByteBuffer.wrap(bytes.data()).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer scales = ByteBuffer.wrap(bytes.scales()).order(ByteOrder.LITTLE_ENDIAN);
    int at = block * format.blockBytes();
    float value = NonFinite.any(mix);
    short half = (short) (Float.isNaN(value) ? 0x7e00 : 0x7c00);
    switch (format.id()) {
      case "F32" -> data.putFloat(at, value);
      case "BF16" -> data.putShort(at, (short) (Float.floatToRawIntBits(value) >>> 16));
      case "INT8_C" -> scales.putFloat(4 * row, value);
      case "INT4_B32", "INT4_B64", "INT4_B128", "INT4_B256" ->
          scales.putShort(2 * block, (short) (Float.floatToRawIntBits(value) >>> 16));
      case "Q2_K" -> data.putShort(at + 80 + 2 * mix.below(2), half);
      case "Q3_K" -> data.putShort(at + 108, half);
      case "Q6_K" -> data.putShort(at + 208, half);
      case "F16", "Q4_K", "Q5_K" -> data.putShort(at, half);
      default -> BlockLayout.of(format.id()).numbers().damage(data, at, Float.isNaN(value));
    }
  }
}

package dev.quern.conformance.attention;

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
import dev.quern.data.KvFormat;
import dev.quern.spi.Offer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/// Section A of SPEC.md.
public final class AttentionRules implements OperatorSuite<AttentionCase> {
  /// By how many positions a cache may be larger, the most first.
  private static final int[] CAPACITIES = {64, 1, 7};

  private static final long FEW_SCORES = 1L << 22;

  @Override
  public Operator<?, ?> operator() {
    return Operator.ATTENTION;
  }

  @Override
  public Class<AttentionCase> caseType() {
    return AttentionCase.class;
  }

  @Override
  public List<Subject<AttentionCase>> subjects(Candidate target) {
    return AttentionCases.subjects(target);
  }

  @Override
  public List<List<String>> declaredNames() {
    return List.of(List.of(KvFormat.F32.id(), KvFormat.F16.id()), Scores.ids());
  }

  @Override
  public List<String> impliedNames() {
    return List.of("", Scores.FULL.id());
  }

  @Override
  public List<String> declaredSizes() {
    return List.of("heads", "kvHeads", "headDim", "maxPositions");
  }

  @Override
  public Query query(AttentionCase c) {
    return new Query(
        name(),
        List.of(c.kv(), c.scores().id()),
        Map.of(
            "heads", (long) c.heads(),
            "kvHeads", (long) c.kvHeads(),
            "headDim", (long) c.headDim(),
            "maxPositions", (long) c.spec().maxPositions()));
  }

  @Override
  public Map<String, List<Integer>> sizesInModels() {
    return AttentionCases.SIZES;
  }

  @Override
  public SpecCases specCases(SpecCases.Wanted wanted) {
    return AttentionCases.ofModel(name(), wanted);
  }

  @Override
  public List<CompiledCases<AttentionCase>> compiledCases() {
    return AttentionCases.compiled();
  }

  @Override
  public Run open(AttentionCase c, Candidate target, Memory memory) {
    return AttentionRun.open(c, target, memory);
  }

  @Override
  public AttentionCase manyTasks(AttentionCase c) {
    return CaseText.with(
        c,
        String.format(
            Locale.ROOT,
            "kvHeads=4,group=8,headDim=%d,rows=9,firstPosition=%d",
            Math.min(c.headDim(), 8),
            Math.min(c.firstPosition(), 20)));
  }

  @Override
  public AttentionCase large(AttentionCase c) {
    String kind =
        c.append()
            ? "append=true,rows=520,headDim=64"
            : c.rows() == 1
                ? "firstPosition=1150,headDim=64,spare=37"
                : "rows=520,headDim=8,spare=5";
    return CaseText.with(AttentionCase.of(c.kvFormat()), kind);
  }

  @Override
  public AttentionCase huge(AttentionCase c) {
    return CaseText.with(
        AttentionCase.of(c.kvFormat()), "kvHeads=16,group=8,headDim=512,firstPosition=262143");
  }

  @Override
  public List<Rule<AttentionCase>> rules() {
    return Stream.concat(
            Stream.of(
                Rule.of("A1", "causal", this::causal).on(AttentionRules::apply),
                bound("A2", "grouped_queries").on(c -> CaseText.with(apply(c), grouped(c))),
                bound("A3", "append").on(c -> CaseText.with(c, "append=true")),
                bound("A4", "capacity")
                    .on(c ->
                        CaseText.with(
                            apply(c),
                            String.format(
                                Locale.ROOT, "spare=%d,beyond=%d", c.spare() + 3, c.beyond() + 5))),
                Rule.of("A5", "large_scores", this::largeScores).on(AttentionRules::apply),
                bound("A6", "exact").on(AttentionRules::apply),
                Rule.of("A7", "growing_cache", this::growingCache)
                    .on(AttentionRules::apply)
                    .effort(Rule.Effort.HALF),
                Rule.of("A8", "non_finite", this::nonFinite).on(AttentionRules::apply),
                WindowRule.rule().on(AttentionRules::apply),
                Rule.of("P21", "any_capacity", this::anyCapacity)
                    .on(c ->
                        CaseText.with(apply(c), "beyond=" + Math.max(CAPACITIES[0], c.beyond())))
                    .effort(Rule.Effort.HALF),
                bound("A11", "soft_cap").where(c -> c.softCap() > 0).on(AttentionRules::apply),
                SequencesRule.rule(),
                TwoGibRule.rule(),
                Rule.of("P12", "sessions", Calls.ifRight(this, SessionRule::check))
                    .on(SessionRule::shape)
                    .effort(Rule.Effort.LOW),
                Rule.of("P12", "large_sessions", Calls.ifRight(this, SessionRule::check))
                    .on(StateRules::longRow)
                    .effort(Rule.Effort.THREE_CASES)),
            KernelRules.of(
                this,
                "A7",
                List.of(
                    Rule.<AttentionCase>of("A8", "non_finite", this::nonFinite)
                        .where(AttentionRules::fewScores)))
                .stream())
        .toList();
  }

  /// Whether a large case is one that may be called twice more.
  private static boolean fewScores(AttentionCase c) {
    long scores = (long) c.rows() * c.heads() * c.positions();
    return !c.append() && c.spare() <= c.positions() && scores <= FEW_SCORES;
  }

  /// Rule P21: caches of other capacities hold the same positions.
  private Outcome anyCapacity(AttentionCase c, Candidate target) {
    if (!(offer(c, target) instanceof Offer.Accepted<?> offer) || !InvarianceRule.promised(offer)) {
      return new Outcome.Skip("its variants are not all declared invariant");
    }
    return Calls.judge(
        this,
        c,
        target,
        (run, workers) -> {
          byte[] expected = run.call(workers, Prefill.NAN);
          Judgement verdict = new Judgement();
          for (int more : CAPACITIES) {
            Run other = ((AttentionRun) run).withCapacity(more);
            byte[] result = other.call(workers, Prefill.NAN);
            Calls.same(verdict, "with room for " + more + " more positions", run, expected, result);
          }
          return verdict;
        });
  }

  private static AttentionCase apply(AttentionCase c) {
    return CaseText.with(c, "append=false");
  }

  private static String grouped(AttentionCase c) {
    return String.format(Locale.ROOT, "kvHeads=%d,group=%d", c.kvHeads() + 1, c.group() + 1);
  }

  private Rule<AttentionCase> bound(String id, String name) {
    return Rule.of(id, name, this::checkBound);
  }

  private Outcome checkBound(AttentionCase c, Candidate target) {
    return Calls.judge(
        this,
        c,
        target,
        (run, workers) -> {
          Judgement verdict = run.withinBounds(run.call(workers, Prefill.NAN));
          if (c.append()) { // rule A3: no other position
            run.strayWrite().ifPresent(w -> verdict.fail(w, "unchanged", "written to"));
          }
          return verdict;
        });
  }

  /// The last position is NaN in both planes of every head: the last row is NaN, and the rows
  /// before it must not see it.
  private Outcome causal(AttentionCase c, Candidate target) {
    AttentionData clean = AttentionData.of(c);
    AttentionData blind = AttentionData.of(c);
    for (int kvHead = 0; kvHead < c.kvHeads(); kvHead++) {
      for (int d = 0; d < c.headDim(); d++) {
        AttentionData.set(blind.keys(), c, kvHead, c.positions() - 1, d, Double.NaN);
        AttentionData.set(blind.values(), c, kvHead, c.positions() - 1, d, Double.NaN);
      }
    }
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      AttentionRun run = AttentionRun.open(c, clean, target, memory);
      byte[] seen = run.call(workers, Prefill.NAN);
      AttentionRun blinded = AttentionRun.open(c, blind, target, memory);
      byte[] unseen = blinded.call(workers, Prefill.NAN);
      int before = seen.length / c.rows() * (c.rows() - 1);
      System.arraycopy(seen, before, unseen, before, seen.length - before);
      return run.withinBounds(unseen).outcome(blinded::describe);
    }
  }

  /// One key scores far above all others, far beyond what exp can take: y is its value.
  private Outcome largeScores(AttentionCase c, Candidate target) {
    AttentionData data = AttentionData.of(c);
    Mix mix = new Mix(c.seed(), "large");
    // Of those that all rows see, if there are any; else some see none.
    int first = Math.min(c.firstVisible(c.rows() - 1), c.firstPosition());
    int best = first + mix.below(c.firstPosition() - first + 1);
    int exponent = 8 + mix.below(40);
    Arrays.fill(data.q(), Math.scalb(1f, exponent));
    double scale = 256; // of the keys; as binary16 too
    for (int kvHead = 0; kvHead < c.kvHeads(); kvHead++) {
      for (int t = 0; t < c.positions(); t++) {
        for (int d = 0; d < c.headDim(); d++) {
          double key = t == best ? scale : t % 2 == 0 ? -scale : scale / 4;
          AttentionData.set(data.keys(), c, kvHead, t, d, key);
        }
      }
    }
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      AttentionRun run = AttentionRun.open(c, data, target, memory);
      byte[] result = run.call(workers, Prefill.NAN);
      if (c.softCap() > 0) { // several reach the cap
        return run.withinBounds(result).outcome(run::describe);
      }
      float[] y = Run.floats(result);
      Judgement verdict = new Judgement();
      double vanishing = vanishing(data, c);
      for (int i = 0; i < y.length; i++) {
        int col = i % (c.heads() * c.headDim());
        int kvHead = col / c.headDim() / c.group();
        if (best < c.firstVisible(i / (c.heads() * c.headDim()))) {
          continue;
        }
        double value = AttentionData.get(data.values(), c, kvHead, best, col % c.headDim());
        // The other weights are below exp(-1000), so nothing but rounding is left.
        double bound = (4.0 * c.positions() + 16) * 0x1p-24 * Math.abs(value) + vanishing;
        verdict.close("y", i / (c.heads() * c.headDim()), col, value, y[i], bound);
      }
      return verdict.outcome(run::describe);
    }
  }

  /// What weights that are treated as zero, or as the smallest normal, may add: 2^-126 of each
  /// value.
  private static double vanishing(AttentionData data, AttentionCase c) {
    double sum = 1;
    for (int kvHead = 0; kvHead < c.kvHeads(); kvHead++) {
      for (int t = 0; t < c.positions(); t++) {
        for (int d = 0; d < c.headDim(); d++) {
          sum += Math.abs(AttentionData.get(data.values(), c, kvHead, t, d));
        }
      }
    }
    return 0x1p-126 * sum;
  }

  /// Rows appended and attended to one by one, against all at once: the same keys and values, so
  /// the same bits within a variant.
  private Outcome growingCache(AttentionCase c, Candidate target) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      AttentionRun atOnce = AttentionRun.open(c, target, memory);
      byte[] expected = atOnce.call(workers, Prefill.NAN);
      boolean bits = atOnce.variant(1).equals(atOnce.variant(c.rows()));
      Judgement verdict = new Judgement();
      AttentionData grown = AttentionData.of(c);
      for (int r = c.rows() - 1; r >= 0; r--) {
        forget(grown, c, c.firstPosition() + r + 1);
        Run alone = AttentionRun.open(c, grown, target, memory).row(r);
        byte[] row = alone.call(workers, Prefill.NAN);
        if (bits) {
          Calls.same(
              verdict,
              String.format(Locale.ROOT, "row %d, nothing after it", r),
              alone,
              atOnce.rowOf(expected, r),
              row);
        } else {
          verdict.add(alone.withinBounds(row));
        }
      }
      return verdict.outcome();
    }
  }

  /// Position t as it is before anything is appended there.
  private static void forget(AttentionData data, AttentionCase c, int t) {
    for (int kvHead = 0; t < c.positions() && kvHead < c.kvHeads(); kvHead++) {
      for (int d = 0; d < c.headDim(); d++) {
        AttentionData.set(data.keys(), c, kvHead, t, d, Double.NaN);
        AttentionData.set(data.values(), c, kvHead, t, d, Double.NaN);
      }
    }
  }

  /// A NaN or an infinity in q, or a NaN in a visible key or value.
  private Outcome nonFinite(AttentionCase c, Candidate target) {
    AttentionData clean = AttentionData.of(c);
    AttentionData damaged = AttentionData.of(c);
    Mix mix = new Mix(c.seed(), "non-finite");
    int columns = c.heads() * c.headDim();
    int row = mix.below(c.rows());
    int head = mix.below(c.heads());
    int d = mix.below(c.headDim());
    int t = mix.below(c.positions());
    int operand = mix.below(3);
    switch (operand) {
      // An infinite score is capped like any other.
      case 0 ->
          damaged.q()[row * columns + head * c.headDim() + d] =
              c.softCap() > 0 ? Float.NaN : NonFinite.any(mix);
      case 1 -> AttentionData.set(damaged.keys(), c, head / c.group(), t, d, Double.NaN);
      default -> AttentionData.set(damaged.values(), c, head / c.group(), t, d, Double.NaN);
    }
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      AttentionRun run = AttentionRun.open(c, clean, target, memory);
      float[] y = Run.floats(run.call(workers, Prefill.NAN));
      AttentionRun with = AttentionRun.open(c, damaged, target, memory);
      float[] yDamaged = Run.floats(with.call(workers, Prefill.NAN));
      Judgement verdict = new Judgement();
      for (int i = 0; i < y.length; i++) {
        int r = i / columns;
        int h = i % columns / c.headDim();
        boolean sees =
            h / c.group() == head / c.group()
                && t >= c.firstVisible(r)
                && t <= c.firstPosition() + r;
        boolean affected =
            switch (operand) {
              case 0 -> r == row && h == head;
              case 1 -> sees;
              default -> sees && i % c.headDim() == d;
            };
        if (!affected) {
          verdict.same("y, where nothing is NaN: element", i, y[i], yDamaged[i]);
        } else if (operand < 2 || weight(clean, c, r, h, t) > 0x1p-100) {
          verdict.nan("y", r, i % columns, yDamaged[i]);
        }
      }
      return verdict.outcome(with::describe);
    }
  }

  /// The weight of a position. One that may have underflowed to 0 may hide a value's NaN.
  private static double weight(AttentionData data, AttentionCase c, int row, int head, int t) {
    AttentionOracle exact = data.oracle(c, row, head, c.firstPosition() + row);
    return exact.weights()[t];
  }
}

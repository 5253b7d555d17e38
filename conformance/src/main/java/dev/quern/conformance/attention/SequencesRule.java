package dev.quern.conformance.attention;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.Calls;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.spi.Offer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Rule A12: sequences in one call against each in a call of its own, bit for bit; in two orders,
/// with other workers, and where two read one cache.
final class SequencesRule {
  /// Sequences of a call, at most.
  private static final int MOST = 5;

  private SequencesRule() {}

  static Rule<AttentionCase> rule() {
    return Rule.of("A12", "sequences", SequencesRule::check)
        .on(SequencesRule::shape)
        .effort(Rule.Effort.SOME);
  }

  /// Room for sequences of other lengths.
  private static AttentionCase shape(AttentionCase c) {
    return CaseText.with(c, "beyond=" + (c.beyond() + 5));
  }

  private static Outcome check(AttentionCase c, Candidate target) {
    List<AttentionCase> cases = sequences(c);
    AttentionSpec spec = c.spec().withSequences(cases.size());
    if (!(target.kernels().attention(spec) instanceof Offer.Accepted<AttentionKernel> offer)) {
      return new Outcome.Skip("it declines calls over several sequences");
    }
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed());
        TestWorkers one = TestWorkers.of(Schedule.ONE, c.seed())) {
      List<AttentionRun> alone =
          cases.stream().map(s -> new AttentionRun(s, AttentionData.of(s), offer, memory)).toList();
      List<byte[]> expected = alone.stream().map(a -> a.call(one, Prefill.NAN)).toList();
      Judgement verdict = new Judgement();
      BatchRun batch = new BatchRun(alone, memory);
      compare(verdict, "one call", batch, expected, workers);
      BatchRun reversed = new BatchRun(alone.reversed(), memory);
      compare(verdict, "in reverse order", reversed, expected.reversed(), one);
      if (!c.append()) {
        BatchRun shared = new BatchRun(twice(alone), memory);
        compare(verdict, "two with one cache", shared, twice(expected), workers);
      }
      memory.overruns().forEach(o -> verdict.fail(o.operand(), "unchanged", "overrun"));
      return verdict.outcome(batch::describe);
    }
  }

  private static void compare(
      Judgement verdict, String what, BatchRun run, List<byte[]> expected, TestWorkers workers) {
    List<byte[]> parts = run.parts(run.call(workers, Prefill.NAN));
    for (int i = 0; i < parts.size(); i++) {
      String when = String.format(Locale.ROOT, "%s: sequence %d", what, i);
      Calls.same(verdict, when, run, expected.get(i), parts.get(i));
    }
    run.strayWrite().ifPresent(w -> verdict.fail(what + ": " + w, "unchanged", "written to"));
    run.changedInput().ifPresent(w -> verdict.fail(what + ": " + w, "unchanged", "written to"));
  }

  /// The last is the first once more.
  private static <T> List<T> twice(List<T> all) {
    List<T> twice = new ArrayList<>(all);
    twice.set(all.size() - 1, all.getFirst());
    return twice;
  }

  /// The case's own and others: rows of decoding, as many rows in each, or any mix.
  private static List<AttentionCase> sequences(AttentionCase c) {
    Mix mix = new Mix(c.seed(), "sequences");
    int count = 2 + mix.below(MOST - 1);
    int kind = mix.below(3);
    int most = c.capacity() + c.beyond();
    List<AttentionCase> all = new ArrayList<>();
    all.add(kind == 0 ? sequence(c, 1, c.firstPosition(), c.capacity(), c.seed()) : c);
    while (all.size() < count) {
      int mixed = mix.oneIn(2) ? 1 : 1 + mix.below(c.rows() + 2);
      int rows = Math.min(most, kind == 0 ? 1 : kind == 1 ? c.rows() : mixed);
      int first = mix.oneIn(4) ? 0 : mix.below(most - rows + 1);
      int end = first + rows;
      int capacity = end + mix.below(most - end + 1);
      all.add(sequence(c, rows, first, capacity, c.seed() + all.size()));
    }
    return all;
  }

  private static AttentionCase sequence(
      AttentionCase c, int rows, int firstPosition, int capacity, long seed) {
    return CaseText.with(
        c,
        String.format(
            Locale.ROOT,
            "rows=%d,firstPosition=%d,spare=%d,beyond=%d,seed=%d",
            rows,
            firstPosition,
            capacity - firstPosition - rows,
            c.capacity() + c.beyond() - capacity,
            seed));
  }
}

package dev.quern.conformance.linear;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;

/// Rules L5 and P19 for what y held before a call that accumulates: it is added as it is, whatever
/// it is, and each element of it counts in that element of y alone.
final class AccumulateRule {
  /// What some elements of y hold; the others are of ordinary size.
  private static final float[] HELD = {
    Float.NaN,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    1e38f,
    -3e38f,
    -1e9f,
    Float.MIN_NORMAL,
    Float.MIN_VALUE,
    -0f
  };

  private AccumulateRule() {}

  /// Sums of ordinary size, so that it is what y held that makes the result.
  static LinearCase accumulates(LinearCase c) {
    return CaseText.with(c, "accumulate=true,x=normal,weights=normal");
  }

  /// As wide as y gets in a model, or of inputs as long.
  static LinearCase large(LinearCase c) {
    int block = c.blockFormat().blockElements();
    LinearCase first = LinearCase.of(c.blockFormat(), c.numerics());
    String size = c.rows() == 1 ? "outputs=6,inputs=12288" : "rows=2,outputs=8209,inputs=" + block;
    return accumulates(CaseText.with(first, size));
  }

  static Outcome check(LinearCase c, Candidate target) {
    LinearData ordinary = LinearData.of(c);
    float[] before = ordinary.before().clone();
    Mix mix = new Mix(c.seed(), "held");
    boolean[] special = new boolean[before.length];
    for (int i = 0; i < before.length; i++) {
      special[i] = mix.oneIn(3) || i == before.length - 1;
      before[i] = special[i] ? HELD[mix.below(HELD.length)] : before[i];
    }
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearRun plain = LinearRun.open(c, ordinary, target, memory);
      float[] expected = Run.floats(plain.call(workers, Prefill.NAN));
      LinearData held = ordinary.withBefore(before);
      LinearRun run = LinearRun.open(c, held, target, memory);
      float[] y = Run.floats(run.call(workers, Prefill.NAN));
      Judgement verdict = new Judgement();
      for (int i = 0; i < y.length; i++) {
        float ordinarily = ordinary.before()[i];
        if (!special[i]) {
          verdict.same("y, beside other elements than before: element", i, expected[i], y[i]);
        } else if (!Float.isFinite(before[i])) {
          verdict.same("y, which held what is not finite: element", i, before[i], y[i]);
        } else {
          // What was added to the one must be what was added to the other. (The bounds of other
          // rules are for the sums; this one is wide, and asks whether they were added to y.)
          double sum = (double) expected[i] - ordinarily;
          double size = Math.abs(before[i]) + Math.abs(ordinarily) + Math.abs(sum) + c.inputs();
          int columns = c.totalOutputs();
          verdict.close("y", i / columns, i % columns, before[i] + sum, y[i], 0x1p-10 * size);
        }
      }
      return verdict.outcome(run.describe());
    }
  }
}

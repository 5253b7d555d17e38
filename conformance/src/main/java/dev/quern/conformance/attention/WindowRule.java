package dev.quern.conformance.attention;

import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.TestWorkers;
import java.util.Locale;

/// Rule A10: what lies before a row's window is NaN in both planes of every head, first before that
/// of the first row, then before that of any. The rows from there on must not see it.
final class WindowRule {
  private WindowRule() {}

  /// On calls of apply.
  static Rule<AttentionCase> rule() {
    return Rule.of("A10", "window", WindowRule::check).where(c -> c.window() > 0);
  }

  private static Outcome check(AttentionCase c, Candidate target) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      AttentionRun run = AttentionRun.open(c, target, memory);
      byte[] seen = run.call(workers, Prefill.NAN);
      Judgement verdict = run.withinBounds(seen);
      int any = new Mix(c.seed(), "window").below(c.rows());
      for (int row : any == 0 ? new int[] {0} : new int[] {0, any}) {
        AttentionRun blinded = AttentionRun.open(c, blind(c, c.firstVisible(row)), target, memory);
        byte[] unseen = blinded.call(workers, Prefill.NAN);
        System.arraycopy(seen, 0, unseen, 0, seen.length / c.rows() * row);
        String what = String.format(Locale.ROOT, "NaN before the window of row %d", row);
        verdict.add(what, run.withinBounds(unseen));
      }
      return verdict.outcome(run::describe);
    }
  }

  /// @param first the first position that is left
  private static AttentionData blind(AttentionCase c, int first) {
    AttentionData data = AttentionData.of(c);
    for (int kvHead = 0; kvHead < c.kvHeads(); kvHead++) {
      for (int t = 0; t < first; t++) {
        for (int d = 0; d < c.headDim(); d++) {
          AttentionData.set(data.keys(), c, kvHead, t, d, Double.NaN);
          AttentionData.set(data.values(), c, kvHead, t, d, Double.NaN);
        }
      }
    }
    return data;
  }
}

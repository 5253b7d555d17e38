package dev.quern.conformance.linear;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.NonFinite;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.Calls;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.TestWorkers;
import java.util.Locale;
import java.util.stream.Stream;

/// Rule L14. The bias that `pack` was given is NaN as soon as it has returned ([LinearRun]).
final class BiasRules {
  private BiasRules() {}

  static Stream<Rule<LinearCase>> rules() {
    return Stream.of(
        // Weights of zero: y is the bias, and nothing hides how it was rounded.
        Rule.of("L14", "bias_alone", BiasRules::check)
            .on(c -> CaseText.with(c, "bias=true,accumulate=false,weights=zero"))
            .effort(Rule.Effort.HALF),
        Rule.of("L14", "bias_and_products", BiasRules::check)
            .on(c -> CaseText.with(c, "bias=true,x=normal"))
            .effort(Rule.Effort.HALF),
        Rule.of("L14", "non_finite_bias", BiasRules::nonFinite)
            .on(c -> CaseText.with(c, "bias=true,x=normal,weights=normal"))
            .effort(Rule.Effort.SOME));
  }

  private static Outcome check(LinearCase c, Candidate target) {
    try (Memory memory = Calls.memory(c);
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearRun run = LinearRun.open(c, target, memory);
      float[] y = Run.floats(run.call(workers, Prefill.NAN));
      Judgement verdict = LinearBounds.tight(run, y);
      run.strayWrite().ifPresent(w -> verdict.fail(w, "unchanged", "written to"));
      return verdict.outcome(run::describe);
    }
  }

  private static Outcome nonFinite(LinearCase c, Candidate target) {
    LinearData clean = LinearData.of(c);
    LinearData damaged = LinearData.of(c);
    Mix mix = new Mix(c.seed(), "non-finite bias");
    int columns = c.totalOutputs();
    int bad = mix.below(columns);
    damaged.bias()[bad] = NonFinite.any(mix);
    try (Memory memory = Calls.memory(c);
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearRun run = LinearRun.open(c, clean, target, memory);
      float[] y = Run.floats(run.call(workers, Prefill.NAN));
      LinearRun other = LinearRun.open(c, damaged, target, memory);
      float[] yDamaged = Run.floats(other.call(workers, Prefill.NAN));
      Judgement verdict = new Judgement();
      for (int r = 0; r < c.rows(); r++) {
        int at = r * columns + bad;
        if (Float.isFinite(yDamaged[at])) {
          verdict.fail(
              String.format(Locale.ROOT, "y[%d][%d]", r, bad),
              "NaN or infinite",
              Float.toString(yDamaged[at]));
        }
        yDamaged[at] = y[at];
      }
      verdict.add(LinearBounds.tight(run, yDamaged));
      return verdict.outcome(other::describe);
    }
  }
}

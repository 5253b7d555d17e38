package dev.quern.conformance.rules;

import dev.quern.conformance.Outcome;
import dev.quern.conformance.Target;
import dev.quern.conformance.Verdict;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.LinearCase;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.WeightBytes;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.LinearBounds;
import dev.quern.conformance.run.LinearData;
import dev.quern.conformance.run.LinearRun;
import dev.quern.conformance.run.LinearRun.Packing;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.SameMemory;
import dev.quern.conformance.run.TestWorkers;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Rules P16 and L2: what a linear kernel keeps of its weights, and where; matrices in one stack.
final class PackRules {
  private PackRules() {}

  /// What `pack` read is overwritten, plane by plane, then freed.
  static Outcome sourceReleased(LinearCase c, Target target) {
    try (Memory memory = new CanaryMemory();
        Memory source = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearRun run =
          LinearRun.open(c, LinearData.of(c), target, memory, Packing.of(source, memory));
      if (run.kernel().retainsSource()) {
        return new Outcome.Skip("the kernel retains its source");
      }
      Verdict verdict = new Verdict();
      if (run.packedBytes() == 0) {
        verdict.fail("pack", "packed weights in the allocator's memory", "0 bytes allocated");
      }
      byte[] expected = run.call(workers, Prefill.NAN);
      for (int i = 0; i < run.sources(); i++) {
        run.overwriteSource(i);
        String when =
            String.format(Locale.ROOT, "plane %d of %d overwritten", i + 1, run.sources());
        Calls.same(verdict, when, run, expected, run.call(workers, Prefill.NAN));
      }
      run.freeSource();
      Calls.same(verdict, "source freed", run, expected, run.call(workers, Prefill.NAN));
      return verdict.outcome();
    }
  }

  /// Other weights of the spec are packed in the same place, from the same place: the kernel that
  /// was packed there first must now give their results, unless it keeps weights elsewhere.
  static Outcome nowhereElse(LinearCase c, Target target) {
    LinearData data = LinearData.of(c);
    LinearData others = LinearData.of(CaseText.with(c, "seed=" + (c.seed() + 1)));
    try (Memory memory = new CanaryMemory();
        SameMemory weights = new SameMemory(new CanaryMemory());
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Packing packing = Packing.of(weights, weights);
      LinearRun first = LinearRun.open(c, data, target, memory, packing);
      first.call(workers, Prefill.NAN);
      first.forgetSource();
      weights.rewind();
      LinearData second = new LinearData(data.x(), data.before(), others.weights());
      LinearRun last = LinearRun.open(c, second, target, memory, packing);
      if (!weights.same()) {
        return new Outcome.Skip("other weights of the spec are packed to memory of other sizes");
      }
      byte[] expected = last.call(workers, Prefill.NAN);
      Verdict verdict = new Verdict();
      String when = "other weights packed in the place of this kernel's";
      Calls.same(verdict, when, first, expected, first.call(workers, Prefill.NAN));
      return verdict.outcome();
    }
  }

  /// A stack of more matrices than Q, K and V, of few outputs each; one of them is there twice.
  static LinearCase many(LinearCase c) {
    Mix mix = new Mix(c.seed(), "many");
    int twice = 1 + mix.below(c.outputs().getFirst());
    List<Integer> outputs = new ArrayList<>(List.of(twice));
    for (int i = 0; i < 3 + mix.below(8); i++) {
      outputs.add(1 + mix.below(5));
    }
    outputs.add(twice);
    return CaseText.with(
        c,
        "outputs="
            + outputs.stream().map(o -> Integer.toString(o)).collect(Collectors.joining("+")));
  }

  static Outcome manyMatrices(LinearCase c, Target target) {
    LinearData data = LinearData.of(c);
    List<WeightBytes> weights = new ArrayList<>(data.weights());
    if (c.outputs().getFirst().equals(c.outputs().getLast())) {
      weights.set(weights.size() - 1, weights.getFirst());
    }
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearData stacked = new LinearData(data.x(), data.before(), weights);
      LinearRun run = LinearRun.open(c, stacked, target, memory);
      float[] y = Run.floats(run.call(workers, Prefill.NAN));
      return LinearBounds.tight(run, y).outcome(run.describe());
    }
  }
}

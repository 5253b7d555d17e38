package dev.quern.conformance.linear;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.Known;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Change;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.TestWorkers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Rule P12, on one packer that packs again and again: each kernel is of the matrices that it was
/// packed from.
final class PackerRule {
  private PackerRule() {}

  static Outcome check(LinearCase c, Candidate target) {
    try (Memory memory = new CanaryMemory();
        Memory source = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Judgement verdict = new Judgement();
      LinearData data = LinearData.of(c);
      LinearRun run = LinearRun.open(c, data, target, memory, LinearRun.Packing.of(source, memory));
      Known first = Known.of("the packer's first kernel", run, workers, verdict);
      List<Known> others = new ArrayList<>();
      LinearData other = LinearData.of(seeded(c, 1));
      others.add(Known.of("of other weights", run.repack(c, other), workers, verdict));
      for (Change.Part part : List.of(Change.Part.MIDDLE, Change.Part.LAST)) {
        LinearRun changed = run.repack(c, changed(data, other, part));
        others.add(Known.of("of weights that differ, " + part, changed, workers, verdict));
      }
      LinearCase cut = cut(c);
      others.add(
          Known.of(
              "of matrices " + cut.outputs(),
              run.repack(cut, LinearData.of(cut)),
              workers,
              verdict));
      run.repack(c, damaged(c)).call(workers, Prefill.NAN);
      others.forEach(k -> k.again("after all were packed", workers, verdict));
      first.again("after all were packed", workers, verdict);
      boolean retained = run.kernel().retainsSource();
      LinearRun inPlace = run.repackInPlace(LinearData.of(seeded(c, 2)));
      Known.of("of other weights in the first one's place", inPlace, workers, verdict);
      if (!retained) {
        first.again("after others were packed in its weights' place", workers, verdict);
      }
      return verdict.outcome();
    }
  }

  private static LinearCase seeded(LinearCase c, int more) {
    return CaseText.with(c, "seed=" + (c.seed() + more));
  }

  /// The same outputs in other matrices: two, or if there are several, one.
  private static LinearCase cut(LinearCase c) {
    int outputs = c.totalOutputs();
    return outputs == 1 || c.outputs().size() > 1
        ? CaseText.with(c, "outputs=" + outputs)
        : CaseText.with(c, String.format(Locale.ROOT, "outputs=1+%d", outputs - 1));
  }

  /// Weights that differ in four bytes of each plane of the last matrix.
  private static LinearData changed(LinearData data, LinearData other, Change.Part part) {
    List<WeightBytes> weights = new ArrayList<>(data.weights());
    WeightBytes mine = weights.removeLast();
    WeightBytes others = other.weights().getLast();
    weights.add(
        new WeightBytes(
            changed(mine.data(), others.data(), part),
            changed(mine.scales(), others.scales(), part)));
    return data.withWeights(weights);
  }

  private static byte[] changed(byte[] mine, byte[] other, Change.Part part) {
    return Arrays.equals(mine, other) ? mine : part.of(mine, other);
  }

  /// The first block of the first matrix is NaN or infinite: no other kernel's affair.
  private static LinearData damaged(LinearCase c) {
    LinearData data = LinearData.of(seeded(c, 3));
    Mix mix = new Mix(c.seed(), "non-finite");
    LinearRules.damage(c.blockFormat(), data.weights().getFirst(), 0, 0, c.inputs(), mix);
    return data;
  }
}

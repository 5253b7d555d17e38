package dev.quern.conformance.linear;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.linear.LinearRun.Packing;
import dev.quern.conformance.rules.Calls;
import dev.quern.conformance.rules.MemoryRules;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.MappedMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.SameMemory;
import dev.quern.conformance.run.TestWorkers;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Rules P16 and L2: what a linear kernel keeps of its weights, and where; matrices in one stack.
final class PackRules {
  /// Outputs after which large weights repeat; a prime, so that no tile or task begins alike.
  private static final int PERIOD = 97;

  private PackRules() {}

  /// What `pack` read is overwritten, plane by plane, and freed, all before the first call: what a
  /// kernel reads later is not there any more.
  static Outcome sourceReleased(LinearCase c, Candidate target) {
    return sourceReleased(c, LinearData.of(c), target, true);
  }

  /// @param apart whether it is tried for each plane apart, since one that is missing may hide
  ///   behind another; else all planes are overwritten at once
  private static Outcome sourceReleased(
      LinearCase c, LinearData data, Candidate target, boolean apart) {
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearRun whole = LinearRun.open(c, data, target, memory);
      if (whole.kernel().retainsSource()) {
        return new Outcome.Skip("the kernel retains its source");
      }
      Judgement verdict = new Judgement();
      if (whole.packedBytes() == 0) {
        verdict.fail("pack", "packed weights in the allocator's memory", "0 bytes allocated");
      }
      byte[] expected = whole.call(workers, Prefill.NAN);
      int planes = whole.sources();
      for (int i = 0; i < (apart ? planes : 1); i++) {
        try (Memory source = new CanaryMemory()) {
          LinearRun run = LinearRun.open(c, data, target, memory, Packing.of(source, memory));
          int end = apart ? i + 1 : planes;
          for (int plane = i; plane < end; plane++) {
            run.overwriteSource(plane);
          }
          String which = String.format(Locale.ROOT, "%d .. %d of %d", i + 1, end, planes);
          byte[] overwritten = run.call(workers, Prefill.NAN);
          String when = "planes of the source overwritten before the first call: " + which;
          Calls.same(verdict, when, run, expected, overwritten);
          run.freeSource();
          Calls.same(verdict, "source freed", run, expected, run.call(workers, Prefill.NAN));
        }
      }
      return verdict.outcome();
    }
  }

  /// Other weights of the spec are packed in the same place, from the same place: the kernel that
  /// was packed there first must now give their results, unless it keeps weights elsewhere.
  static Outcome nowhereElse(LinearCase c, Candidate target) {
    LinearData others = LinearData.of(CaseText.with(c, "seed=" + (c.seed() + 1)));
    return nowhereElse(c, LinearData.of(c), others, target);
  }

  private static Outcome nowhereElse(
      LinearCase c, LinearData data, LinearData others, Candidate target) {
    try (Memory memory = new CanaryMemory();
        SameMemory weights = new SameMemory(new CanaryMemory());
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      Packing packing = Packing.of(weights, weights);
      LinearRun first = LinearRun.open(c, data, target, memory, packing);
      first.call(workers, Prefill.NAN);
      first.forgetSource();
      weights.rewind();
      LinearData second = data.withWeights(others.weights());
      LinearRun last = LinearRun.open(c, second, target, memory, packing);
      byte[] result = last.call(workers, Prefill.NAN);
      byte[] expected = LinearRun.open(c, second, target, memory).call(workers, Prefill.NAN);
      Judgement verdict = new Judgement();
      Calls.same(verdict, "packed where others had been", last, expected, result);
      if (weights.same()) {
        String when = "other weights packed in the place of this kernel's";
        Calls.same(verdict, when, first, expected, first.call(workers, Prefill.NAN));
      } else if (verdict.outcome() instanceof Outcome.Pass) {
        return new Outcome.Skip("other weights of the spec are packed to memory of other sizes");
      }
      return verdict.outcome();
    }
  }

  /// A stack as large as an embedding's in one direction: planes of megabytes, of scales too.
  static LinearCase large(LinearCase c) {
    int block = c.blockFormat().blockElements();
    boolean scalePlane = c.blockFormat().scalePlane().scaleBytes() > 0 && block > 1;
    int inputs = scalePlane && block < 128 ? 2 * block : Math.max(64, block) + (block == 1 ? 3 : 0);
    String many = scalePlane || inputs < 256 ? "9+66000+700" : "9+17000+700";
    return CaseText.with(
        LinearCase.of(c.blockFormat(), c.numerics()),
        c.rows() == 1
            ? String.format(Locale.ROOT, "weights=wide,outputs=%s,inputs=%d", many, inputs)
            : "weights=wide,outputs=90+9,inputs=12288");
  }

  /// The source lies in a mapped file, and is looked at when it was packed.
  static Outcome largeSource(LinearCase c, Candidate target) {
    try (MappedMemory source = new MappedMemory(new CanaryMemory());
        Memory memory = new CanaryMemory()) {
      Packing packing = Packing.of(source, memory);
      LinearRun run = LinearRun.open(c, repeated(c, c.seed()), target, memory, packing);
      Judgement verdict = new Judgement();
      MemoryRules.unchanged(run, source, "once packed", verdict);
      return verdict.outcome();
    } catch (UncheckedIOException e) {
      return new Outcome.Skip("no file can be mapped here: " + e.getMessage());
    }
  }

  /// What P16 asks of small weights.
  static Outcome largeWeights(LinearCase c, Candidate target) {
    LinearData data = repeated(c, c.seed());
    Outcome released = sourceReleased(c, data, target, false);
    return released instanceof Outcome.Fail
        ? released
        : nowhereElse(c, data, repeated(c, c.seed() + 1), target);
  }

  /// Operands whose weights repeat those of [#PERIOD] outputs: to draw them all takes too long.
  static LinearData repeated(LinearCase c, long seed) {
    LinearData few = LinearData.of(CaseText.with(c, "seed=" + seed + ",outputs=" + PERIOD));
    WeightBytes period = few.weights().getFirst();
    List<WeightBytes> weights = new ArrayList<>();
    for (int outputs : c.outputs()) {
      weights.add(
          new WeightBytes(repeated(period.data(), outputs), repeated(period.scales(), outputs)));
    }
    return new LinearData(
        few.x(), new float[c.rows() * c.totalOutputs()], LinearData.bias(c), weights);
  }

  private static byte[] repeated(byte[] rows, int outputs) {
    int rowBytes = rows.length / PERIOD;
    byte[] all = new byte[Math.multiplyExact(rowBytes, outputs)];
    for (int at = 0; at < all.length; at += rows.length) {
      System.arraycopy(rows, 0, all, at, Math.min(rows.length, all.length - at));
    }
    return all;
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

  static Outcome manyMatrices(LinearCase c, Candidate target) {
    LinearData data = LinearData.of(c);
    List<WeightBytes> weights = new ArrayList<>(data.weights());
    if (c.outputs().getFirst().equals(c.outputs().getLast())) {
      weights.set(weights.size() - 1, weights.getFirst());
    }
    try (Memory memory = new CanaryMemory();
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearData stacked = data.withWeights(weights);
      LinearRun run = LinearRun.open(c, stacked, target, memory);
      float[] y = Run.floats(run.call(workers, Prefill.NAN));
      return LinearBounds.tight(run, y).outcome(run.describe());
    }
  }
}

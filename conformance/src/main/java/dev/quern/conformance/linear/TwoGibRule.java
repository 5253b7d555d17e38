package dev.quern.conformance.linear;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.TwoGibRules;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.DeclinedException;
import dev.quern.conformance.run.GuardPages;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.op.LinearKernel;
import dev.quern.op.Numerics;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.UnaryOperator;

/// Rule P5 on matrices of weights of more than 2 GiB: see [TwoGibRules].
final class TwoGibRule {
  /// Of an element: in narrower formats no model has a matrix as large.
  private static final int WIDE_BYTES = 2;

  private TwoGibRule() {}

  /// On formats whose matrices become as large.
  static Rule<LinearCase> rule() {
    UnaryOperator<LinearCase> shape =
        c ->
            CaseText.with(
                LinearCase.of(c.blockFormat(), c.numerics()), "outputs=4,inputs=8192,x=normal");
    return TwoGibRules.<LinearCase>rule(TwoGibRule::check)
        .where(c ->
            c.numerics().equals(Numerics.EXACT_F32.id())
                && c.blockFormat().blockBytes() >= WIDE_BYTES * c.blockFormat().blockElements())
        .on(shape);
  }

  /// The first row of weights, then zeros, then the others from 2 GiB on.
  private static Outcome check(LinearCase c, Candidate target) {
    try (Memory memory = new CanaryMemory();
        Memory pages = new GuardPages(target.platform().os(), GuardPages.Side.END);
        TestWorkers workers = TestWorkers.of(c.schedule(), c.seed())) {
      LinearRun small = LinearRun.open(c, target, memory);
      BlockFormat format = c.blockFormat();
      long rowBytes = format.rowBytes(c.inputs());
      int rows = c.totalOutputs();
      int zeros = Math.toIntExact(Math.ceilDiv(TwoGibRules.TWO_GIB, rowBytes)) - 1;
      int outputs = zeros + rows;
      MemorySegment weights = pages.allocate("weights", outputs * rowBytes, 1);
      MemorySegment rowsOfWeights = MemorySegment.ofArray(small.data().weights().getFirst().data());
      TwoGibRules.copy(rowsOfWeights, 0, weights, 0, rowBytes);
      TwoGibRules.copy(
          rowsOfWeights, rowBytes, weights, (zeros + 1) * rowBytes, (rows - 1) * rowBytes);
      LinearCase large = CaseText.with(c, "outputs=" + outputs);
      LinearKernel kernel =
          DeclinedException.accepted(target.kernels().linear(large.spec()))
              .kernel()
              .pack(
                  List.of(new WeightMatrix(format, weights, outputs, c.inputs())),
                  (bytes, alignment) -> pages.allocate("packed weights", bytes, alignment),
                  workers);
      F32Matrix x = TwoGibRules.matrix(pages, small.data().x());
      F32Matrix y = TwoGibRules.matrix(pages, new float[outputs]);
      kernel.apply(x, y, TwoGibRules.workspace(kernel, pages, workers));

      float[] all = y.data().toArray(JAVA_FLOAT);
      Judgement verdict = new Judgement();
      for (int o = 1; o <= zeros; o++) {
        if (all[o] != 0) {
          verdict.fail("y[0][" + o + "], of weights of 0", "0", Float.toString(all[o]));
        }
      }
      float[] result = new float[rows];
      result[0] = all[0];
      System.arraycopy(all, zeros + 1, result, 1, rows - 1);
      verdict.add(
          "y[0][0], and the last " + (rows - 1) + " outputs", small.withinBounds(bytes(result)));
      return verdict.outcome();
    }
  }

  private static byte[] bytes(float[] row) {
    MemorySegment bytes = MemorySegment.ofArray(new byte[Float.BYTES * row.length]);
    MemorySegment.copy(MemorySegment.ofArray(row), 0, bytes, 0, bytes.byteSize());
    return bytes.toArray(JAVA_BYTE);
  }
}

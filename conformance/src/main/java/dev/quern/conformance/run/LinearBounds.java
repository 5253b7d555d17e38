package dev.quern.conformance.run;

import dev.quern.conformance.Verdict;
import dev.quern.conformance.cases.LinearCase;
import dev.quern.conformance.oracle.Bounds;
import dev.quern.conformance.oracle.DecodedWeights;
import dev.quern.conformance.oracle.RoundedRow;
import dev.quern.op.Numerics;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// Rules L5 to L9 on a result of a linear kernel.
public final class LinearBounds {
  private LinearBounds() {}

  /// Against the sum over the activations as the variant's numerics rounds them: L5, and L9's tight
  /// check. Rows with a non-finite element are left out: rule L10 has them.
  public static Verdict tight(LinearRun run, float[] y) {
    Verdict verdict = new Verdict();
    for (int r = 0; r < run.rows(); r++) {
      float[] x = finiteRow(run, r);
      if (x != null) {
        verdict.add(bestModel(run, r, x, y));
      }
    }
    return verdict;
  }

  /// Against the sum over the activations themselves: L9's wide check.
  public static Verdict wide(LinearRun run, float[] y) {
    Verdict verdict = new Verdict();
    for (int r = 0; r < run.rows(); r++) {
      float[] x = finiteRow(run, r);
      if (x != null) {
        verdict.add(row(run, r, x, RoundedRow.models(numerics(run), x).getFirst(), true, y));
      }
    }
    return verdict;
  }

  private static Numerics numerics(LinearRun run) {
    return run.variant(run.rows()).numerics();
  }

  private static float[] finiteRow(LinearRun run, int r) {
    int inputs = run.spec().inputs();
    float[] x = Arrays.copyOfRange(run.data().x(), r * inputs, (r + 1) * inputs);
    for (float v : x) {
      if (!Float.isFinite(v)) {
        return null;
      }
    }
    return x;
  }

  /// Where L8 leaves the model open, the row must meet one of them as a whole.
  private static Verdict bestModel(LinearRun run, int r, float[] x, float[] y) {
    List<RoundedRow> models = RoundedRow.models(numerics(run), x);
    return models.stream()
        .map(m -> row(run, r, x, m, false, y))
        .min(Comparator.comparingDouble(Verdict::worst))
        .orElseThrow();
  }

  private static Verdict row(
      LinearRun run, int r, float[] x, RoundedRow model, boolean wide, float[] y) {
    LinearCase c = run.spec();
    Verdict verdict = new Verdict();
    int columns = c.totalOutputs();
    int o = 0;
    for (DecodedWeights w : run.weights()) {
      for (int local = 0; local < w.outputs(); local++, o++) {
        double sum = 0;
        double products = 0; // Σ abs(x) * M
        double operands = 0; // Σ (1 + abs(x) + M)
        double allowance = 0; // Σ distance of x from what the kernel may use * abs(W)
        for (int i = 0; i < c.inputs(); i++) {
          double weight = w.values()[local * c.inputs() + i];
          double magnitude = w.magnitudes()[local * c.inputs() + i];
          sum += (wide ? x[i] : model.values()[i]) * weight;
          products += model.magnitudes()[i] * magnitude;
          operands += 1 + Math.abs(x[i]) + magnitude;
          allowance += (wide ? model.distance()[i] : model.slack()[i]) * Math.abs(weight);
        }
        double before = c.accumulate() ? run.data().before()[r * columns + o] : 0;
        double bound =
            Bounds.linear(c.inputs(), products, operands) + allowance + Bounds.U * Math.abs(before);
        verdict.close("y", r, o, before + sum, y[r * columns + o], bound);
      }
    }
    return verdict;
  }
}

package dev.quern.conformance.linear;

import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.Values;
import java.util.ArrayList;
import java.util.List;

/// The operands of a linear case. A rule may change them before a run is opened.
///
/// @param x `[rows][inputs]`
/// @param before what y holds if the call accumulates, `[rows][outputs]`
/// @param bias `[outputs]`; empty where there is none
/// @param weights the stacked matrices
public record LinearData(float[] x, float[] before, float[] bias, List<WeightBytes> weights) {
  public static LinearData of(LinearCase c) {
    List<WeightBytes> weights = new ArrayList<>();
    int first = 0;
    for (int i = 0; i < c.outputs().size(); i++) {
      int outputs = c.outputs().get(i);
      Mix mix = new Mix(c.seed(), "weights " + i);
      weights.add(
          WeightBytes.generate(
              c.blockFormat(), c.weights(), outputs, c.inputs(), first, c.seed(), mix));
      first += outputs;
    }
    return of(c, weights);
  }

  /// The inputs of a case, with weights that there are already.
  static LinearData of(LinearCase c, List<WeightBytes> weights) {
    return new LinearData(x(c), before(c), bias(c), weights);
  }

  private static float[] x(LinearCase c) {
    return c.x().fill(c.rows() * c.inputs(), c.inputs(), new Mix(c.seed(), "x"));
  }

  /// Numbers that BF16 does not hold.
  static float[] bias(LinearCase c) {
    int outputs = c.totalOutputs();
    return c.bias()
        ? Values.NORMAL.fill(outputs, outputs, new Mix(c.seed(), "bias"))
        : new float[0];
  }

  /// The same with other contents of y.
  LinearData withBefore(float[] other) {
    return new LinearData(x, other, bias, weights);
  }

  /// The same with other weights.
  LinearData withWeights(List<WeightBytes> other) {
    return new LinearData(x, before, bias, other);
  }

  private static float[] before(LinearCase c) {
    int outputs = c.totalOutputs();
    return Values.NORMAL.fill(c.rows() * outputs, outputs, new Mix(c.seed(), "y"));
  }
}

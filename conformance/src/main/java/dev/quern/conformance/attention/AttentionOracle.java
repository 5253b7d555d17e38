package dev.quern.conformance.attention;

import dev.quern.conformance.judge.Bounds;
import dev.quern.op.AttentionSpec;
import java.util.Arrays;

/// Attention of one row and one query head in double precision, with the sums that rule A6's bound
/// is relative to.
///
/// @param y `[headDim]`
/// @param bounds of A6, `[headDim]`
/// @param weights of the softmax, `[position + 1]`; 0 before the window
/// @param scoreError `e` of A6; where it exceeds 1/8 the bound says nothing
public record AttentionOracle(double[] y, double[] bounds, double[] weights, double scoreError) {
  /// With a soft cap, sums of products are below this, so that none overflows.
  private static final double CAPPED_BELOW = 0x1p100;

  /// @param q the head's query, `[headDim]`
  /// @param keys `[position + 1 or more][headDim]`
  /// @param values as `keys`
  /// @param position the row's: it sees 0 to this, or the last ones of these
  /// @param spec whose scale, window and soft cap count
  static AttentionOracle of(
      double[] q, double[] keys, double[] values, int position, AttentionSpec spec) {
    int headDim = q.length;
    int first = spec.firstVisible(position);
    double[] weights = new double[position + 1]; // scores at first
    Worst worst = new Worst(spec);
    for (int t = first; t <= position; t++) {
      double score = 0;
      double product = 0; // Σ abs(q * K)
      double operand = 0; // Σ (1 + abs(q) + abs(K))
      for (int d = 0; d < headDim; d++) {
        double key = keys[t * headDim + d];
        score += q[d] * key;
        product += Math.abs(q[d] * key);
        operand += 1 + Math.abs(q[d]) + Math.abs(key);
      }
      weights[t] = worst.add(spec.scale() * score, product, operand);
    }
    double max = Arrays.stream(weights, first, position + 1).max().orElseThrow();
    double sum = 0;
    for (int t = first; t <= position; t++) {
      weights[t] = Math.exp(weights[t] - max);
      sum += weights[t];
    }
    for (int t = first; t <= position; t++) {
      weights[t] /= sum;
    }
    var result =
        new AttentionOracle(new double[headDim], new double[headDim], weights, worst.error());
    result.sum(values, first, position);
    return result;
  }

  /// Makes scores of products, and keeps the largest error that one may have.
  private static final class Worst {
    private final AttentionSpec spec;
    private double products; // max over t of Σ abs(q * K)
    private double operands; // max over t of Σ (1 + abs(q) + abs(K))
    private double capped; // max over t of what is left behind a soft cap

    Worst(AttentionSpec spec) {
      this.spec = spec;
    }

    /// @param score scaled
    /// @return the score, capped
    double add(double score, double product, double operand) {
      products = Math.max(products, product);
      operands = Math.max(operands, operand);
      double cap = spec.softCap();
      if (cap == 0) {
        return score;
      }
      double scaled = spec.scale() * product;
      double error = Bounds.product(spec.headDim(), scaled, spec.scale() * operand);
      capped = Math.max(capped, Bounds.capped(cap, score, error, scaled));
      return cap * Math.tanh(score / cap);
    }

    /// `e` of A6.
    double error() {
      double error =
          spec.softCap() == 0
              ? Bounds.product(spec.headDim(), spec.scale() * products, spec.scale() * operands)
              : products < CAPPED_BELOW ? capped : Double.POSITIVE_INFINITY;
      return Bounds.score(error);
    }
  }

  /// The same, for who keeps many: weights are as long as the cache.
  public AttentionOracle withoutWeights() {
    return new AttentionOracle(y, bounds, new double[0], scoreError);
  }

  private void sum(double[] values, int first, int position) {
    double[] products = new double[y.length];
    double[] operands = new double[y.length];
    for (int t = first, i = first * y.length; t <= position; t++) {
      for (int d = 0; d < y.length; d++, i++) {
        y[d] += weights[t] * values[i];
        products[d] += weights[t] * Math.abs(values[i]);
        operands[d] += 1 + Math.abs(values[i]);
      }
    }
    for (int d = 0; d < y.length; d++) {
      bounds[d] = Bounds.attention(scoreError, position - first, products[d], operands[d]);
    }
  }
}

package dev.quern.conformance.attention;

import dev.quern.conformance.judge.Bounds;
import java.util.Arrays;

/// Attention of one row and one query head in double precision, with the sums that rule A6's bound
/// is relative to.
///
/// @param y `[headDim]`
/// @param bounds of A6, `[headDim]`
/// @param weights of the softmax, `[position + 1]`
/// @param scoreError `e` of A6; where it exceeds 1/8 the bound says nothing
public record AttentionOracle(double[] y, double[] bounds, double[] weights, double scoreError) {

  /// Reads one number.
  @FunctionalInterface
  public interface Element {
    /// Element d of position t.
    double at(int t, int d);
  }

  /// @param q the head's query, `[headDim]`
  /// @param position the row's: it sees 0 to this
  public static AttentionOracle of(
      double[] q, Element keys, Element values, int position, float scale) {
    int headDim = q.length;
    double[] k = new double[Math.multiplyExact(position + 1, headDim)];
    double[] v = new double[k.length];
    for (int i = 0; i < k.length; i++) {
      k[i] = keys.at(i / headDim, i % headDim);
      v[i] = values.at(i / headDim, i % headDim);
    }
    return of(q, k, v, position, scale);
  }

  /// @param q the head's query, `[headDim]`
  /// @param keys `[position + 1 or more][headDim]`
  /// @param values as `keys`
  /// @param position the row's: it sees 0 to this
  public static AttentionOracle of(
      double[] q, double[] keys, double[] values, int position, float scale) {
    int headDim = q.length;
    double[] scores = new double[position + 1];
    double products = 0; // max over t of Σ abs(q * K)
    double operands = 0; // max over t of Σ (1 + abs(q) + abs(K))
    for (int t = 0; t <= position; t++) {
      double score = 0;
      double product = 0;
      double operand = 0;
      for (int d = 0; d < headDim; d++) {
        double key = keys[t * headDim + d];
        score += q[d] * key;
        product += Math.abs(q[d] * key);
        operand += 1 + Math.abs(q[d]) + Math.abs(key);
      }
      scores[t] = scale * score;
      products = Math.max(products, product);
      operands = Math.max(operands, operand);
    }
    double max = Arrays.stream(scores).max().orElseThrow();
    double[] weights = new double[position + 1];
    double sum = 0;
    for (int t = 0; t <= position; t++) {
      weights[t] = Math.exp(scores[t] - max);
      sum += weights[t];
    }
    for (int t = 0; t <= position; t++) {
      weights[t] /= sum;
    }
    double e = Bounds.score(headDim, scale * products, scale * operands);
    var result = new AttentionOracle(new double[headDim], new double[headDim], weights, e);
    result.sum(values, position);
    return result;
  }

  /// The same, for who keeps many: weights are as long as the cache.
  public AttentionOracle withoutWeights() {
    return new AttentionOracle(y, bounds, new double[0], scoreError);
  }

  private void sum(double[] values, int position) {
    double[] products = new double[y.length];
    double[] operands = new double[y.length];
    for (int t = 0, i = 0; t <= position; t++) {
      for (int d = 0; d < y.length; d++, i++) {
        y[d] += weights[t] * values[i];
        products[d] += weights[t] * Math.abs(values[i]);
        operands[d] += 1 + Math.abs(values[i]);
      }
    }
    for (int d = 0; d < y.length; d++) {
      bounds[d] = Bounds.attention(scoreError, position, products[d], operands[d]);
    }
  }
}

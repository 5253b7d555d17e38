package dev.quern.conformance.oracle;

import java.util.stream.IntStream;

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
    double[] scores = new double[position + 1];
    double products = 0; // max over t of Σ abs(q * K)
    double operands = 0; // max over t of Σ (1 + abs(q) + abs(K))
    for (int t = 0; t <= position; t++) {
      double score = 0;
      double product = 0;
      double operand = 0;
      for (int d = 0; d < headDim; d++) {
        double key = keys.at(t, d);
        score += q[d] * key;
        product += Math.abs(q[d] * key);
        operand += 1 + Math.abs(q[d]) + Math.abs(key);
      }
      scores[t] = scale * score;
      products = Math.max(products, product);
      operands = Math.max(operands, operand);
    }
    double max = IntStream.rangeClosed(0, position).mapToDouble(t -> scores[t]).max().orElseThrow();
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
    for (int d = 0; d < headDim; d++) {
      result.sum(values, position, d);
    }
    return result;
  }

  private void sum(Element values, int position, int d) {
    double products = 0;
    double operands = 0;
    for (int t = 0; t <= position; t++) {
      double value = values.at(t, d);
      y[d] += weights[t] * value;
      products += weights[t] * Math.abs(value);
      operands += 1 + Math.abs(value);
    }
    bounds[d] = Bounds.attention(scoreError, position, products, operands);
  }
}

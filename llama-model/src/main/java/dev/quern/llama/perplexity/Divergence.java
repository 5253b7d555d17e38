package dev.quern.llama.perplexity;

import java.util.Arrays;

/// How far a model's predictions are from a reference's, over the scored tokens of a text.
///
/// @param reference the reference's mean negative log-likelihood of the text's tokens, in nats
/// @param logRatio mean of ln(perplexity / reference's perplexity)
/// @param mean of the Kullback-Leibler divergence from the reference's distribution, in nats
/// @param nmse mean over the tokens of the logits' squared error over their squared sum
/// @param sameLikeliest share of the tokens where both think the same token the likeliest
/// @param probability root mean square of the difference in the text's token's probability
/// @param sorted the divergence of each scored token, ascending
/// @since 0.1
/// @stability api
public record Divergence(
    Mean reference,
    Mean logRatio,
    Mean mean,
    double nmse,
    double sameLikeliest,
    double probability,
    double[] sorted) {

  public Divergence {
    sorted = sorted.clone();
  }

  /// The divergences of the tokens, ascending; the caller's own copy.
  @Override
  public double[] sorted() {
    return sorted.clone();
  }

  /// The reference's perplexity.
  public double referencePerplexity() {
    return Math.exp(reference.value());
  }

  /// The divergence that a share of the tokens does not exceed, interpolated between neighbours.
  ///
  /// @param share 0 to 1; 1 gives the largest
  public double percentile(double share) {
    double at = share * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  /// Collects the tokens one by one.
  static final class Collector {
    private final Mean.Sum reference = new Mean.Sum();
    private final Mean.Sum logRatio = new Mean.Sum();
    private final Mean.Sum divergence = new Mean.Sum();
    private final Mean.Sum nmse = new Mean.Sum();
    private double squaredDifference;
    private int same;
    private double[] values;
    private int count;

    /// @param tokens how many will come
    Collector(int tokens) {
      values = new double[tokens];
    }

    void add(Distribution p, Distribution q, int token) {
      reference.add(-p.log(token));
      logRatio.add(p.log(token) - q.log(token));
      double kl = p.divergence(q);
      divergence.add(kl);
      nmse.add(p.nmse(q));
      double difference = Math.exp(q.log(token)) - Math.exp(p.log(token));
      squaredDifference += difference * difference;
      same += p.likeliest() == q.likeliest() ? 1 : 0;
      values[count++] = kl;
    }

    Divergence result() {
      double[] sorted = Arrays.copyOf(values, count);
      Arrays.sort(sorted);
      return new Divergence(
          reference.mean(),
          logRatio.mean(),
          divergence.mean(),
          nmse.mean().value(),
          (double) same / count,
          Math.sqrt(squaredDifference / count),
          sorted);
    }
  }
}

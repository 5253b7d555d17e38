package dev.quern.llama.perplexity;

/// What a model says about the next token: logits and what normalises them. Sums are in double.
///
/// @param logits `[vocabulary]`
/// @param logOfSum logarithm of the sum of the logits' exponentials, relative to the largest logit
/// @param likeliest the first token with the largest logit
record Distribution(float[] logits, double logOfSum, int likeliest) {

  static Distribution of(float[] logits) {
    int likeliest = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[likeliest]) {
        likeliest = i;
      }
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp((double) logit - logits[likeliest]);
    }
    return new Distribution(logits, Math.log(sum), likeliest);
  }

  /// The logarithm of a token's probability.
  double log(int token) {
    return (double) logits[token] - logits[likeliest] - logOfSum;
  }

  /// The Kullback-Leibler divergence of `other` from this one, in nats: `sum p (ln p - ln q)`.
  double divergence(Distribution other) {
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      double log = log(i);
      sum += Math.exp(log) * (log - other.log(i));
    }
    return sum;
  }

  /// The squared difference of `other`'s logits from these, over the sum of these squared.
  double nmse(Distribution other) {
    double error = 0;
    double square = 0;
    for (int i = 0; i < logits.length; i++) {
      double difference = (double) other.logits[i] - logits[i];
      error += difference * difference;
      square += (double) logits[i] * logits[i];
    }
    return error / square;
  }
}

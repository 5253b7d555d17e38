package dev.quern.llama.sampling;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/// What the model says of a token that was chosen, and of those that it holds likeliest, whatever
/// the sampler's options are: before biases, penalties, filters and temperature, as `n_probs` of
/// llama.cpp's server and OpenAI's `logprobs`.
///
/// @param chosen the token that was chosen
/// @param top the likeliest tokens, the likeliest first and of equals the lowest id; the chosen one
///   need not be among them. Without those of probability 0
/// @since 0.1
/// @stability api
public record LogProbabilities(TokenLogProbability chosen, List<TokenLogProbability> top) {
  public LogProbabilities {
    top = List.copyOf(top);
  }

  /// The logarithms of softmax(logits), in double: `logit - log(sum of exp(logits))`.
  ///
  /// @param logits `[vocabulary]`, as the model has them; none NaN or positive infinity
  /// @param token the one that was chosen
  /// @param top how many of the likeliest; more than there are means all
  /// @throws IllegalArgumentException where `token` is no index of `logits`, or `top` is negative
  public static LogProbabilities of(float[] logits, int token, int top) {
    if (token < 0 || token >= logits.length || top < 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "log probabilities: token=%d, top=%d, expected a token 0 .. %d, and top >= 0",
              token,
              top,
              logits.length - 1));
    }
    Candidates best = new Candidates(Math.clamp(top, 1, logits.length));
    best.setTopK(logits, Math.max(1, top));
    double largest = best.logit(0);
    double sum = 0;
    for (float logit : logits) {
      sum += StrictMath.exp(logit - largest); // of the same bits on every platform
    }
    double logSum = StrictMath.log(sum);
    return new LogProbabilities(
        new TokenLogProbability(token, logits[token] - largest - logSum),
        IntStream.range(0, Math.min(top, best.size()))
            .filter(i -> best.logit(i) > Float.NEGATIVE_INFINITY)
            .mapToObj(i -> new TokenLogProbability(best.token(i), best.logit(i) - largest - logSum))
            .toList());
  }
}

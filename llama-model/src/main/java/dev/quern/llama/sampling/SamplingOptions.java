package dev.quern.llama.sampling;

import java.util.Locale;

/// How the next token is drawn. The parameters mean what llama.cpp's of the same name mean.
///
/// @param temperature divides the logits: below 1 sharper, above 1 flatter. 0: greedy, always the
///   token of the largest logit (after the penalty), the lowest id among equals
/// @param topK keep the k most likely tokens; 0: all
/// @param topP keep the fewest most likely tokens that together have at least this probability, in
///   (0, 1]; 1: all
/// @param minP keep the tokens with at least this fraction of the most likely one's probability, in
///   [0, 1]; 0: all
/// @param repeatPenalty divides positive and multiplies negative logits of tokens that occurred
///   lately; in [0.01, 100]; 1: none
/// @param repeatLastN how many of the last tokens count as "lately", the prompt's included; 0: none
/// @param seed of the random numbers: the same seed, options and logits give the same tokens on
///   every platform
/// @since 0.1
/// @stability api
public record SamplingOptions(
    double temperature,
    int topK,
    double topP,
    double minP,
    double repeatPenalty,
    int repeatLastN,
    long seed) {

  /// Always the most likely token.
  public static final SamplingOptions GREEDY = new SamplingOptions(0, 0, 1, 0, 1, 0, 0);

  /// llama.cpp's defaults: temperature 0.8, top-k 40, top-p 0.95, min-p 0.05, no penalty.
  ///
  /// @param seed see the record's component
  public static SamplingOptions standard(long seed) {
    return new SamplingOptions(0.8, 40, 0.95, 0.05, 1, 64, seed);
  }

  /// @throws IllegalArgumentException where a parameter is outside its range
  public SamplingOptions {
    check("temperature", temperature, temperature >= 0 && finite(temperature), ">= 0 (0: greedy)");
    check("topK", topK, topK >= 0, ">= 0 (0: all tokens)");
    check("topP", topP, topP > 0 && topP <= 1, "in (0, 1] (1: all tokens)");
    check("minP", minP, minP >= 0 && minP <= 1, "in [0, 1] (0: all tokens)");
    check(
        "repeatPenalty",
        repeatPenalty,
        repeatPenalty >= 0.01 && repeatPenalty <= 100,
        "in [0.01, 100] (1: no penalty)");
    check("repeatLastN", repeatLastN, repeatLastN >= 0, ">= 0 (0: no penalty)");
  }

  private static boolean finite(double value) {
    return value < Double.POSITIVE_INFINITY;
  }

  private static void check(String name, Number value, boolean valid, String expected) {
    if (!valid) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "sampling: %s=%s, expected %s", name, value, expected));
    }
  }
}

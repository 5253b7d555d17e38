package dev.quern.llama.sampling;

import dev.quern.llama.error.RequestException;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// How the next token is drawn. The parameters mean what llama.cpp's of the same name mean. The
/// `with` methods change one thing; the constructor with all components grows with them and is no
/// promise.
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
/// @param repeatLastN how many of the last tokens count as "lately", the prompt's included, for all
///   three penalties; 0: none
/// @param seed of the random numbers: the same seed, options and logits give the same tokens on
///   every platform
/// @param frequencyPenalty is taken from a token's logit as often as it occurred lately; in [-100,
///   100], below 0 favours repetition; 0: none. With `presencePenalty` OpenAI's formula: `logit -=
///   count * frequencyPenalty + (count > 0 ? presencePenalty : 0)`, after the repeat penalty
/// @param presencePenalty is taken once from the logit of a token that occurred lately; in [-100,
///   100]; 0: none
/// @param typicalP keep the fewest tokens that together have more than this probability, of those
///   whose information is nearest to the expected one (Meister et al., "Locally Typical Sampling",
///   2023), in (0, 1]; 1: all
/// @param logitBias token id to what is added to its logit before anything else, in [-1e6, 1e6] or
///   -Infinity, which forbids the token
/// @since 0.1
/// @stability api
public record SamplingOptions(
    double temperature,
    int topK,
    double topP,
    double minP,
    double repeatPenalty,
    int repeatLastN,
    long seed,
    double frequencyPenalty,
    double presencePenalty,
    double typicalP,
    Map<Integer, Double> logitBias) {

  private static final double MOST_PENALTY = 100;

  /// So small that no sum with a finite logit overflows a float.
  private static final double MOST_BIAS = 1e6;

  /// Always the most likely token.
  public static final SamplingOptions GREEDY = new SamplingOptions(0, 0, 1, 0, 1, 0, 0);

  /// llama.cpp's defaults: temperature 0.8, top-k 40, top-p 0.95, min-p 0.05, no penalty.
  ///
  /// @param seed see the record's component
  public static SamplingOptions standard(long seed) {
    return new SamplingOptions(0.8, 40, 0.95, 0.05, 1, 64, seed);
  }

  /// @throws RequestException where a parameter is outside its range
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
    checkPenalty("frequencyPenalty", frequencyPenalty);
    checkPenalty("presencePenalty", presencePenalty);
    check("typicalP", typicalP, typicalP > 0 && typicalP <= 1, "in (0, 1] (1: all tokens)");
    logitBias = Collections.unmodifiableMap(new TreeMap<>(logitBias));
    logitBias.forEach(SamplingOptions::checkBias);
  }

  /// Without frequency and presence penalty, typical p and biases.
  public SamplingOptions(
      double temperature,
      int topK,
      double topP,
      double minP,
      double repeatPenalty,
      int repeatLastN,
      long seed) {
    this(temperature, topK, topP, minP, repeatPenalty, repeatLastN, seed, 0, 0, 1, Map.of());
  }

  /// @throws RequestException where one is outside its range
  public SamplingOptions withPenalties(double frequencyPenalty, double presencePenalty) {
    return new SamplingOptions(
        temperature,
        topK,
        topP,
        minP,
        repeatPenalty,
        repeatLastN,
        seed,
        frequencyPenalty,
        presencePenalty,
        typicalP,
        logitBias);
  }

  /// @throws RequestException where it is outside its range
  public SamplingOptions withTypicalP(double typicalP) {
    return new SamplingOptions(
        temperature,
        topK,
        topP,
        minP,
        repeatPenalty,
        repeatLastN,
        seed,
        frequencyPenalty,
        presencePenalty,
        typicalP,
        logitBias);
  }

  /// These options with other biases.
  ///
  /// @throws RequestException where an id or a bias is outside its range
  public SamplingOptions withLogitBias(Map<Integer, Double> logitBias) {
    return new SamplingOptions(
        temperature,
        topK,
        topP,
        minP,
        repeatPenalty,
        repeatLastN,
        seed,
        frequencyPenalty,
        presencePenalty,
        typicalP,
        logitBias);
  }

  public SamplingOptions withSeed(long seed) {
    return new SamplingOptions(
        temperature,
        topK,
        topP,
        minP,
        repeatPenalty,
        repeatLastN,
        seed,
        frequencyPenalty,
        presencePenalty,
        typicalP,
        logitBias);
  }

  /// Whether what was said lately makes a difference.
  boolean penalizes() {
    return repeatPenalty != 1 || frequencyPenalty != 0 || presencePenalty != 0;
  }

  private static void checkPenalty(String name, double value) {
    check(name, value, Math.abs(value) <= MOST_PENALTY, "in [-100, 100] (0: no penalty)");
  }

  private static void checkBias(int token, double bias) {
    check("logitBias of token", token, token >= 0, "an id >= 0");
    check(
        "logitBias of token " + token,
        bias,
        Math.abs(bias) <= MOST_BIAS || bias == Double.NEGATIVE_INFINITY,
        "in [-1e6, 1e6], or -Infinity (forbids the token)");
  }

  private static boolean finite(double value) {
    return value < Double.POSITIVE_INFINITY;
  }

  private static void check(String name, Number value, boolean valid, String expected) {
    if (!valid) {
      throw new RequestException(
          String.format(Locale.ROOT, "sampling: %s=%s, expected %s", name, value, expected));
    }
  }
}

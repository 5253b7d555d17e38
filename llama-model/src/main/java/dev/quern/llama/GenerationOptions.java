package dev.quern.llama;

import dev.quern.llama.sampling.SamplingOptions;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/// How to continue a text.
///
/// @param maxTokens most tokens to generate; the context's end is a limit too
/// @param sampling how a token is chosen
/// @param stopTokens ids that end the generation, beside those that the vocabulary marks as ends
/// @param ignoreEnd whether to go on past the vocabulary's end tokens, as for measurements
public record GenerationOptions(
    int maxTokens, SamplingOptions sampling, Set<Integer> stopTokens, boolean ignoreEnd) {

  public GenerationOptions {
    Objects.requireNonNull(sampling, "sampling");
    stopTokens = Set.copyOf(stopTokens);
    if (maxTokens < 0) {
      throw new LlamaException(
          String.format(Locale.ROOT, "maxTokens=%d, expected >= 0", maxTokens));
    }
  }

  /// A generation that the vocabulary's end tokens end.
  public GenerationOptions(int maxTokens, SamplingOptions sampling, Set<Integer> stopTokens) {
    this(maxTokens, sampling, stopTokens, false);
  }

  /// The most likely token each time.
  public static GenerationOptions greedy(int maxTokens) {
    return new GenerationOptions(maxTokens, SamplingOptions.GREEDY, Set.of());
  }

  /// These options, going on past the vocabulary's end tokens.
  public GenerationOptions ignoringEnd() {
    return new GenerationOptions(maxTokens, sampling, stopTokens, true);
  }
}

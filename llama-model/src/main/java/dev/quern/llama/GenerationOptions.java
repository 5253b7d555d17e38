package dev.quern.llama;

import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.sampling.SamplingOptions;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// How to continue a text. Made by [#greedy(int)] or [#of(int, SamplingOptions)] and changed by the
/// `with` methods; the constructor with all components grows with them and is no promise.
///
/// @param maxTokens most tokens to generate; the context's end is a limit too
/// @param sampling how a token is chosen
/// @param stopTokens ids that end the generation, beside those that the vocabulary marks as ends
/// @param stopStrings texts that end the generation, wherever in the tokens' text they begin and
///   end. They are looked for in the text that one call generates, not in the prompt
/// @param ignoreEnd whether to go on past the vocabulary's end tokens, as for measurements
/// @param cancellation what ends the generation from outside, if anything is to
/// @param logProbabilities of how many of the likeliest tokens the log probability is wanted beside
///   the chosen one's, at each token; empty where none is, which costs nothing
/// @param constraint what the generated text must be, if anything
/// @param logitsHook what looks at the logits before a token is chosen, if anything does
/// @since 0.1
/// @stability api
public record GenerationOptions(
    int maxTokens,
    SamplingOptions sampling,
    Set<Integer> stopTokens,
    List<String> stopStrings,
    boolean ignoreEnd,
    Optional<Cancellation> cancellation,
    OptionalInt logProbabilities,
    Optional<Constraint> constraint,
    Optional<LogitsHook> logitsHook) {

  public GenerationOptions {
    Objects.requireNonNull(sampling, "sampling");
    Objects.requireNonNull(cancellation, "cancellation");
    Objects.requireNonNull(logProbabilities, "logProbabilities");
    Objects.requireNonNull(constraint, "constraint");
    Objects.requireNonNull(logitsHook, "logitsHook");
    stopTokens = Set.copyOf(stopTokens);
    stopStrings = List.copyOf(new LinkedHashSet<>(stopStrings));
    if (maxTokens < 0) {
      throw new RequestException(
          String.format(Locale.ROOT, "maxTokens=%d, expected >= 0", maxTokens));
    }
    if (logProbabilities.orElse(0) < 0) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "logProbabilities=%d, expected >= 0 (0: the chosen token's only)",
              logProbabilities.getAsInt()));
    }
    stopStrings.forEach(GenerationOptions::check);
  }

  /// A generation that the vocabulary's end tokens end, and these.
  public GenerationOptions(int maxTokens, SamplingOptions sampling, Set<Integer> stopTokens) {
    this(
        maxTokens,
        sampling,
        stopTokens,
        List.of(),
        false,
        Optional.empty(),
        OptionalInt.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /// A generation that the vocabulary's end tokens end.
  public static GenerationOptions of(int maxTokens, SamplingOptions sampling) {
    return new GenerationOptions(maxTokens, sampling, Set.of());
  }

  /// The most likely token each time.
  public static GenerationOptions greedy(int maxTokens) {
    return of(maxTokens, SamplingOptions.GREEDY);
  }

  public GenerationOptions withMaxTokens(int maxTokens) {
    return new GenerationOptions(
        maxTokens,
        sampling,
        stopTokens,
        stopStrings,
        ignoreEnd,
        cancellation,
        logProbabilities,
        constraint,
        logitsHook);
  }

  public GenerationOptions withSampling(SamplingOptions sampling) {
    return new GenerationOptions(
        maxTokens,
        sampling,
        stopTokens,
        stopStrings,
        ignoreEnd,
        cancellation,
        logProbabilities,
        constraint,
        logitsHook);
  }

  public GenerationOptions withStopTokens(Set<Integer> stopTokens) {
    return new GenerationOptions(
        maxTokens,
        sampling,
        stopTokens,
        stopStrings,
        ignoreEnd,
        cancellation,
        logProbabilities,
        constraint,
        logitsHook);
  }

  /// @throws RequestException if one is empty, or holds half of a surrogate pair
  public GenerationOptions withStopStrings(String... stopStrings) {
    return withStopStrings(List.of(stopStrings));
  }

  /// @throws RequestException if one is empty, or holds half of a surrogate pair
  public GenerationOptions withStopStrings(List<String> stopStrings) {
    return new GenerationOptions(
        maxTokens,
        sampling,
        stopTokens,
        stopStrings,
        ignoreEnd,
        cancellation,
        logProbabilities,
        constraint,
        logitsHook);
  }

  /// These options, with something that ends the generation from outside.
  public GenerationOptions withCancellation(Cancellation cancellation) {
    return new GenerationOptions(
        maxTokens,
        sampling,
        stopTokens,
        stopStrings,
        ignoreEnd,
        Optional.of(cancellation),
        logProbabilities,
        constraint,
        logitsHook);
  }

  /// These options, going on past the vocabulary's end tokens.
  public GenerationOptions ignoringEnd() {
    return new GenerationOptions(
        maxTokens,
        sampling,
        stopTokens,
        stopStrings,
        true,
        cancellation,
        logProbabilities,
        constraint,
        logitsHook);
  }

  /// These options, with the log probabilities of each chosen token and of the likeliest ones in
  /// [Generation#logProbabilities()].
  ///
  /// @param top how many of the likeliest; 0: the chosen token's only
  /// @throws RequestException if negative
  public GenerationOptions withLogProbabilities(int top) {
    return new GenerationOptions(
        maxTokens,
        sampling,
        stopTokens,
        stopStrings,
        ignoreEnd,
        cancellation,
        OptionalInt.of(top),
        constraint,
        logitsHook);
  }

  /// These options, for text that fits a constraint. It is about the text that one call generates,
  /// not about the prompt. Biases and penalties come before it, and log probabilities are the
  /// model's, as without it. A generation that may not go on any more ends with
  /// [StopReason#END_OF_TEXT]; one that has not come to an end yet is cut off by the other reasons,
  /// as any other.
  ///
  /// A model without a vocabulary, or whose vocabulary can spell no text that fits, is refused
  /// before anything is run.
  public GenerationOptions withConstraint(Constraint constraint) {
    return new GenerationOptions(
        maxTokens,
        sampling,
        stopTokens,
        stopStrings,
        ignoreEnd,
        cancellation,
        logProbabilities,
        Optional.of(constraint),
        logitsHook);
  }

  /// These options, with a hook that sees each token's logits, and may change them.
  public GenerationOptions withLogitsHook(LogitsHook hook) {
    return new GenerationOptions(
        maxTokens,
        sampling,
        stopTokens,
        stopStrings,
        ignoreEnd,
        cancellation,
        logProbabilities,
        constraint,
        Optional.of(hook));
  }

  /// Generated text is whole characters, so half of one would never be found, or split one.
  private static void check(String stop) {
    if (stop.isEmpty()) {
      throw new RequestException("stop string: empty, expected a text that ends the generation");
    }
    if (stop.codePoints().anyMatch(c -> Character.getType(c) == Character.SURROGATE)) {
      throw new RequestException(
          "stop string: half of a surrogate pair, expected whole characters");
    }
  }
}

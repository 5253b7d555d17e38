package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.llama.constrain.ConstraintState;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.sampling.LogProbabilities;
import dev.quern.llama.sampling.Sampler;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.llama.tokenizer.Tokenizer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;

/// A text as it goes on, token by token: which one comes next, who hears of it, and when the text
/// is over. Whoever has a continuation runs its tokens through the model. For one thread at a time.
final class Continuation {
  private final LlamaModel model;
  private final GenerationOptions options;
  private final SessionTokens tokens;
  private final Sampler sampler;
  private final IntPredicate onToken;
  private final Optional<GeneratedText> text;
  private final BooleanSupplier cancelled;
  private final Optional<ConstraintState> constraint;
  private ConstraintState guessed; // behind the guesses; null where there are none
  private boolean guessedEnd; // a guess was the text's end
  private final List<Integer> generated = new ArrayList<>();
  private final List<LogProbabilities> logProbabilities = new ArrayList<>();

  /// @param tokens what came before, the cache's; a generated token is pending there until it is
  ///   run
  /// @param sampler has accepted what came before
  /// @param onToken hears every token; false ends the text
  /// @param text gets every token, if there is to be text
  /// @param cancelled whether to end
  Continuation(
      LlamaModel model,
      GenerationOptions options,
      SessionTokens tokens,
      Sampler sampler,
      IntPredicate onToken,
      Optional<GeneratedText> text,
      BooleanSupplier cancelled) {
    this.model = model;
    this.options = options;
    this.tokens = tokens;
    this.onToken = onToken;
    this.text = text;
    this.cancelled = cancelled;
    this.sampler = sampler;
    constraint = constraint(model, options);
  }

  /// @throws LlamaException if the options can't be the model's
  static Sampler sampler(LlamaModel model, SamplingOptions options) {
    try {
      return new Sampler(options, model.config().vocabulary());
    } catch (IllegalArgumentException e) {
      throw new LlamaException(e.getMessage(), e);
    }
  }

  /// The same for whoever has not run anything yet, and wants to hear first whether all of the
  /// options can be the model's.
  static Sampler checkedSampler(LlamaModel model, GenerationOptions options) {
    Sampler sampler = sampler(model, options.sampling());
    constraint(model, options);
    return sampler;
  }

  /// How far the options' constraint has come, before any text.
  ///
  /// @throws LlamaException if it can't be kept to with the model's vocabulary
  static Optional<ConstraintState> constraint(LlamaModel model, GenerationOptions options) {
    if (options.constraint().isEmpty()) {
      return Optional.empty();
    }
    Tokenizer tokenizer = model.tokenizer();
    Set<Integer> ends = new HashSet<>(options.stopTokens());
    ends.removeIf(token -> token < 0 || token >= tokenizer.vocabularySize());
    if (!options.ignoreEnd()) {
      ends.addAll(tokenizer.endOfGeneration());
    }
    return Optional.of(options.constraint().get().start(tokenizer, ends));
  }

  /// The tokens that were chosen, without one that ended the text.
  List<Integer> generated() {
    return generated;
  }

  /// Those of these tokens, where the options ask for them.
  List<LogProbabilities> logProbabilities() {
    return logProbabilities;
  }

  /// Whether it is over before a token is chosen.
  boolean isFull() {
    return generated.size() >= options.maxTokens();
  }

  /// Chooses the next token.
  ///
  /// @param logits after the last token
  /// @throws dev.quern.llama.sampling.LogitsException where there is none to choose
  int choose(MemorySegment logits) {
    return constraint.isPresent()
        ? sampler.next(logits, constraint.get().allowed())
        : sampler.next(logits);
  }

  /// Guesses what [#choose] is going to choose (see [Sampler#guess]).
  ///
  /// @param logits another model's
  int guess(float[] logits) {
    if (constraint.isEmpty() || guessedEnd) {
      return sampler.guess(logits);
    }
    guessed = guessed == null ? constraint.get().copy() : guessed;
    int token = sampler.guess(logits, guessed.allowed());
    guessedEnd = isOver(token).isPresent();
    if (!guessedEnd) {
      guessed.accept(token);
      guessedEnd = guessed.isComplete();
    }
    return token;
  }

  /// Forgets all guesses.
  void withdraw() {
    sampler.withdraw();
    guessed = null;
    guessedEnd = false;
  }

  /// Takes the token that was chosen, and tells of it.
  ///
  /// @param logits that it was chosen from
  /// @return why the text is over; empty where the token is to be run
  Optional<StopReason> accept(int token, MemorySegment logits) {
    Optional<StopReason> end = isOver(token);
    if (end.isPresent()) {
      return end;
    }
    constraint.ifPresent(c -> c.accept(token));
    generated.add(token);
    if (options.logProbabilities().isPresent()) {
      int top = options.logProbabilities().getAsInt();
      logProbabilities.add(LogProbabilities.of(logits.toArray(JAVA_FLOAT), token, top));
    }
    tokens.setPending(token);
    boolean wanted = onToken.test(token);
    if (text.isPresent() && text.get().completes(token)) {
      return Optional.of(StopReason.STOP_STRING);
    }
    if (!wanted || cancelled.getAsBoolean()) {
      return Optional.of(StopReason.CANCELLED);
    }
    if (constraint.isPresent() && constraint.get().isComplete()) {
      return Optional.of(StopReason.END_OF_TEXT);
    }
    if (isFull()) {
      return Optional.of(StopReason.MAX_TOKENS);
    }
    return tokens.position() == tokens.capacity()
        ? Optional.of(StopReason.CONTEXT_FULL)
        : Optional.empty();
  }

  /// Hands on what was held back of a text that no stop string ended.
  void end(StopReason stop) {
    if (stop != StopReason.STOP_STRING) {
      text.ifPresent(t -> t.end(stop == StopReason.END_OF_TEXT));
    }
  }

  /// Whether a token ends the text, and is none of it.
  private Optional<StopReason> isOver(int token) {
    if (!options.ignoreEnd() && isEnd(token)) {
      return Optional.of(StopReason.END_OF_TEXT);
    }
    return options.stopTokens().contains(token)
        ? Optional.of(StopReason.STOP_TOKEN)
        : Optional.empty();
  }

  private boolean isEnd(int token) {
    return model.hasTokenizer() && model.tokenizer().isEndOfGeneration(token);
  }
}

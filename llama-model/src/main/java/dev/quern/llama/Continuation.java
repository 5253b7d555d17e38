package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.llama.constrain.ConstraintState;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.sampling.LogProbabilities;
import dev.quern.llama.sampling.LogitsException;
import dev.quern.llama.sampling.Sampler;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.llama.tokenizer.Tokenizer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.Supplier;

/// A text as it goes on, token by token: which one comes next, who hears of it, and when the text
/// is over. Whoever has a continuation runs its tokens through the model. For one thread at a time.
final class Continuation {
  private final LlamaModel model;
  private final GenerationOptions options;
  private final SessionTokens tokens;
  private final Sampler sampler;
  private final IntPredicate onToken;
  private final Optional<GeneratedText> text;
  private final Supplier<Optional<StopReason>> ending;
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
  /// @param ending why to end before the text does, if it is to
  Continuation(
      LlamaModel model,
      GenerationOptions options,
      SessionTokens tokens,
      Sampler sampler,
      IntPredicate onToken,
      Optional<GeneratedText> text,
      Supplier<Optional<StopReason>> ending) {
    this.model = model;
    this.options = options;
    this.tokens = tokens;
    this.onToken = onToken;
    this.text = text;
    this.ending = ending;
    this.sampler = sampler;
    constraint = constraint(model, options);
  }

  /// @throws RequestException if the options can't be the model's
  static Sampler sampler(LlamaModel model, SamplingOptions options) {
    return new Sampler(options, model.config().vocabulary());
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
  /// @throws RequestException if it can't be kept to with the model's vocabulary
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
    if (options.logitsHook().isPresent()) {
      float[] changed = hooked(options.logitsHook().get(), logits.toArray(JAVA_FLOAT));
      return constraint.isPresent()
          ? sampler.next(changed, requireAny(changed, constraint.get().allowed()))
          : sampler.next(changed);
    }
    return constraint.isPresent()
        ? sampler.next(logits, constraint.get().allowed())
        : sampler.next(logits);
  }

  /// What a hook makes of the model's logits; those and the hook's are told apart where one is
  /// none.
  private float[] hooked(LogitsHook hook, float[] logits) {
    LogitsException.check(logits, tokens.position());
    hook.change(tokens.all(), logits);
    for (int token = 0; token < logits.length; token++) {
      if (!(logits[token] < Float.POSITIVE_INFINITY)) {
        throw new RequestException(
            String.format(
                Locale.ROOT,
                "logits hook: made the logit of token %d %s, expected a finite number, or -Infinity to forbid the token",
                token,
                logits[token]));
      }
    }
    requireAny(logits, null);
    return logits;
  }

  /// @param allowed by a constraint; null where all tokens are
  private static long[] requireAny(float[] logits, long[] allowed) {
    for (int token = 0; token < logits.length; token++) {
      boolean mayBe =
          allowed == null
              || token >> 6 < allowed.length && (allowed[token >> 6] >>> token & 1) != 0;
      if (mayBe && logits[token] > Float.NEGATIVE_INFINITY) {
        return allowed;
      }
    }
    throw new RequestException(
        allowed == null
            ? "logits hook: forbade all tokens, expected at least one that is allowed"
            : "logits hook: forbade all tokens that the constraint allows, expected at least one that both do");
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
    Optional<LogProbabilities> said = Optional.empty();
    if (options.logProbabilities().isPresent()) {
      int top = options.logProbabilities().getAsInt();
      said = Optional.of(LogProbabilities.of(logits.toArray(JAVA_FLOAT), token, top));
      logProbabilities.add(said.get());
    }
    tokens.setPending(token);
    boolean wanted = onToken.test(token);
    if (text.isPresent() && text.get().completes(token, said)) {
      return Optional.of(StopReason.STOP_STRING);
    }
    Optional<StopReason> ended = wanted ? ending.get() : Optional.of(StopReason.CANCELLED);
    if (ended.isPresent()) {
      return ended;
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

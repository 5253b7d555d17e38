package dev.quern.llama;

import dev.quern.llama.error.PromptException;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.KvCaches;
import dev.quern.llama.observe.FlightRecorder;
import dev.quern.llama.sampling.Sampler;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// A request on its way through an [Engine]: first its prompt, in parts, then a token at a time.
final class Sequence implements PrefixCache.Holder {
  private static final int[] NONE = {};
  private static final Duration CENTURY = Duration.ofDays(36_500);

  private final LlamaModel model;
  private final Completion completion;
  private final GenerationOptions options;
  private final int[] prompt;
  private final FlightRecorder.EngineRequestEvent event = FlightRecorder.engineRequest();
  private final long submitted = System.nanoTime();
  private final long deadline; // System.nanoTime() at which it is over
  private final boolean hasDeadline;

  // From its start on: the context's worth of tokens, and what a sampler has for the vocabulary,
  // are
  // too much for each of many that wait.
  private KvCaches caches;
  private SessionTokens tokens;
  private Continuation continuation;
  private long started;
  private int cached; // of the prompt, before its start
  private int taken; // of the prompt, with the step that is being made
  private int rows; // of that step
  private int[] chosen; // when the prompt is done: the token to run, and guesses behind it
  private boolean drafted; // the guesses are a draft model's
  private final Lookup lookup;
  private double prefillSeconds = Double.NaN;
  private double firstTokenSeconds = Double.NaN;
  private int decoded;

  /// @param guesses most tokens of one
  /// @throws PromptException if there is no prompt, or it does not fit
  /// @throws dev.quern.llama.error.LlamaException if the vocabulary lacks a token of it
  Sequence(LlamaModel model, EngineRequest request, int guesses, Completion completion) {
    this.model = model;
    lookup = new Lookup(guesses);
    this.completion = completion;
    options = request.options();
    hasDeadline = request.deadline().isPresent();
    deadline = submitted + request.deadline().map(Sequence::nanos).orElse(0L);
    prompt = request.prompt();
    SessionTokens.require(prompt, model.config().vocabulary());
    if (!options.sampling().logitBias().isEmpty()) {
      Continuation.sampler(model, options.sampling()); // refuses one of a token that there is not
    }
    Continuation.constraint(model, options); // refuses one that the vocabulary can't spell
    if (prompt.length == 0) {
      throw TokenLoop.nothing();
    }
    TokenLoop.requireRoom(model, prompt.length, 0);
  }

  int[] prompt() {
    return prompt;
  }

  /// A duration, or a century in the place of a longer one.
  private static long nanos(Duration duration) {
    return duration.compareTo(CENTURY) < 0 ? duration.toNanos() : CENTURY.toNanos();
  }

  /// Gets a place.
  ///
  /// @param caches that hold the prompt's first `cached` tokens, fewer than there are
  void start(KvCaches caches, int cached) {
    Sampler sampler = Continuation.sampler(model, options.sampling());
    sampler.accept(prompt);
    this.caches = caches;
    this.cached = cached;
    taken = cached;
    started = System.nanoTime();
    tokens = new SessionTokens(model.context(), model.config().vocabulary());
    tokens.append(prompt, 0, cached);
    Optional<GeneratedText> text =
        SessionText.of(model, tokens)
            .map(t -> new GeneratedText(t, options.stopStrings(), completion::say));
    continuation = new Continuation(model, options, tokens, sampler, _ -> true, text, this::ending);
  }

  @Override
  public KvCaches caches() {
    return caches;
  }

  boolean isDecoding() {
    return taken == prompt.length;
  }

  /// Why it is to end before its text does: somebody wants it, or its time is over.
  Optional<StopReason> ending() {
    if (completion.isCancelled()
        || options.cancellation().map(Cancellation::isCancelled).orElse(false)) {
      return Optional.of(StopReason.CANCELLED);
    }
    return hasDeadline && System.nanoTime() - deadline >= 0
        ? Optional.of(StopReason.DEADLINE)
        : Optional.empty();
  }

  /// Its part of a step: the token that was chosen last, or the next of the prompt.
  ///
  /// @param most rows of a prompt
  ForwardPass.Part part(int most) {
    if (isDecoding()) {
      rows = chosen.length;
      return new ForwardPass.Part(caches, tokens.position(), chosen, 0, rows, rows);
    }
    int from = taken;
    rows = Math.min(most, prompt.length - taken);
    taken += rows;
    return new ForwardPass.Part(
        caches, tokens.position(), prompt, from, rows, isDecoding() ? 1 : 0);
  }

  /// What a step gave.
  ///
  /// @param chosen tokens
  /// @param guessed tokens
  /// @param right guesses of these
  /// @param unguessed whether a guess of the next one would have been made, had guesses paid
  /// @param over why it is over; empty where it is not
  record Gain(int chosen, int guessed, int right, boolean unguessed, Optional<StopReason> over) {}

  /// The step was made, and nothing was wanted of it.
  void ran() {
    tokens.append(prompt, tokens.position(), rows);
  }

  /// The step was made.
  ///
  /// @param logits behind the rows that they were wanted of
  Gain accept(List<MemorySegment> logits) {
    boolean prompted = Double.isNaN(prefillSeconds);
    if (prompted) {
      ran();
      prefillSeconds = seconds(started);
      chosen = NONE;
      if (continuation.isFull()) {
        return new Gain(0, 0, 0, false, Optional.of(StopReason.MAX_TOKENS));
      }
    }
    int guessed = Math.max(0, chosen.length - 1);
    int right = 0;
    while (true) {
      if (!prompted) {
        tokens.append(chosen, right, 1);
        tokens.setPending();
        decoded++;
      }
      int token = choose(logits.get(right));
      Optional<StopReason> over = continuation.accept(token, logits.get(right));
      if (over.isEmpty() && right < guessed && token == chosen[right + 1]) {
        right++;
        continue;
      }
      if (!drafted) {
        lookup.was(guessed, right);
      }
      drafted = false;
      boolean unguessed = over.isEmpty() && lookup.isPausing();
      if (over.isEmpty()) {
        chosen = new int[] {token};
        chosen = SessionTokens.concat(chosen, lookup.guess(tokens, token, room()));
      }
      return new Gain(right + 1, guessed, right, unguessed, over);
    }
  }

  /// How many tokens may be guessed behind the next one, as far as the context and the request go;
  /// 0 where some are.
  int room() {
    int context = tokens.capacity() - tokens.position() - 1;
    int wanted = options.maxTokens() - continuation.generated().size() - 1;
    return chosen.length > 1 ? 0 : Math.min(context, wanted);
  }

  /// What another model says of the token behind those that it has guessed.
  ///
  /// @param logits another model's
  int guessNext(float[] logits) {
    return continuation.guess(logits);
  }

  /// Forgets what [#guessNext] said, so that a token can be chosen.
  void withdraw() {
    continuation.withdraw();
  }

  /// Sets what a draft model has guessed behind the next token.
  void guess(int[] tokens) {
    chosen = SessionTokens.concat(chosen, tokens);
    drafted = tokens.length > 0;
  }

  /// The tokens in its caches from a position on, and behind them the next one, if it has that.
  int[] upToNext(int from) {
    int[] before = tokens.from(from);
    return isDecoding() && chosen != null && chosen.length > 0
        ? SessionTokens.concat(before, new int[] {chosen[0]})
        : before;
  }

  private int choose(MemorySegment logits) {
    int token = continuation.choose(logits);
    if (Double.isNaN(firstTokenSeconds)) {
      firstTokenSeconds = seconds(submitted);
    }
    return token;
  }

  int position() {
    return tokens.position();
  }

  @Override
  public int shared(int[] prompt) {
    return tokens.shared(prompt);
  }

  /// The tokens in its caches.
  int[] history() {
    return tokens.history();
  }

  /// Ends it, with what it has.
  void end(StopReason stop) {
    record(stop.name());
    if (continuation == null) { // never started
      completion.end(new Generation(List.of(), stop, 0, 0, Double.NaN, 0, 0, List.of()));
      return;
    }
    boolean prefilled = !Double.isNaN(prefillSeconds);
    if (prefilled) {
      continuation.end(stop);
    }
    double prefill = prefilled ? prefillSeconds : seconds(started);
    completion.end(
        new Generation(
            continuation.generated(),
            stop,
            prefilled ? prompt.length - cached : 0,
            prefill,
            firstTokenSeconds,
            decoded,
            seconds(started) - prefill,
            continuation.logProbabilities()));
  }

  /// Ends it with what went wrong.
  void fail(Throwable failure) {
    record("FAILED");
    completion.fail(failure);
  }

  private void record(String end) {
    if (event != null) {
      int generated = continuation == null ? 0 : continuation.generated().size();
      event.finish(prompt.length, cached, generated, end);
    }
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}

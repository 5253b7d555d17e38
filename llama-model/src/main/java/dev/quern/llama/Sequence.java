package dev.quern.llama;

import dev.quern.llama.error.PromptException;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.KvCaches;
import dev.quern.llama.sampling.Sampler;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A request on its way through an [Engine]: first its prompt, in parts, then a token at a time.
final class Sequence {
  private final LlamaModel model;
  private final Completion completion;
  private final GenerationOptions options;
  private final int[] prompt;
  private final SessionTokens tokens;
  private final long submitted = System.nanoTime();
  private final long deadline; // System.nanoTime() at which it is over
  private final boolean hasDeadline;

  private KvCaches caches; // while it runs
  private Continuation continuation; // from its start on
  private long started;
  private int cached; // of the prompt, before its start
  private int taken; // of the prompt, with the step that is being made
  private int rows; // of that step
  private int[] chosen; // when the prompt is done: the token to run, and guesses behind it
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
    deadline = submitted + request.deadline().map(d -> d.toNanos()).orElse(0L);
    tokens = new SessionTokens(model.context(), model.config().vocabulary());
    prompt = tokens.withPending(request.prompt());
    if (!options.sampling().logitBias().isEmpty()) {
      Continuation.sampler(model, options.sampling()); // refuses one of a token that there is not
    }
    if (prompt.length == 0) {
      throw new PromptException("prompt: no tokens, expected at least one to go on from");
    }
    if (prompt.length > tokens.capacity()) {
      throw new PromptException(
          String.format(
              Locale.ROOT,
              "prompt: %d tokens, expected at most %d: the context; load the model with a larger one (it was trained for %d), or shorten the prompt",
              prompt.length,
              tokens.capacity(),
              model.config().contextLength()));
    }
  }

  int[] prompt() {
    return prompt;
  }

  /// Gets a place.
  ///
  /// @param caches that hold the prompt's first `cached` tokens, fewer than there are
  void start(KvCaches caches, int cached) {
    this.caches = caches;
    tokens.append(prompt, 0, cached);
    taken = cached;
    this.cached = cached;
    started = System.nanoTime();
    Optional<GeneratedText> text =
        model.hasTokenizer()
            ? Optional.of(
                new GeneratedText(
                    new SessionText(model.tokenizer(), tokens),
                    options.stopStrings(),
                    completion::say))
            : Optional.empty();
    Sampler sampler = Continuation.sampler(model, options.sampling());
    sampler.accept(prompt);
    continuation =
        new Continuation(model, options, tokens, sampler, _ -> true, text, this::isCancelled);
  }

  KvCaches caches() {
    return caches;
  }

  boolean isDecoding() {
    return taken == prompt.length;
  }

  /// Whether somebody ended it, or its time did.
  boolean isCancelled() {
    return completion.isCancelled()
        || options.cancellation().map(Cancellation::isCancelled).orElse(false)
        || hasDeadline && System.nanoTime() - deadline >= 0;
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
  /// @param over why it is over; empty where it is not
  record Gain(int chosen, int guessed, int right, Optional<StopReason> over) {}

  /// The step was made, and nothing was wanted of it.
  void ran() {
    tokens.append(prompt, tokens.position(), rows);
  }

  /// The step was made.
  ///
  /// @param logits behind the rows that they were wanted of
  Gain accept(List<MemorySegment> logits) {
    if (Double.isNaN(prefillSeconds)) {
      ran();
      prefillSeconds = seconds(started);
      if (continuation.isFull()) {
        return new Gain(0, 0, 0, Optional.of(StopReason.MAX_TOKENS));
      }
      int token = choose(logits.getFirst());
      return new Gain(1, 0, 0, goesOn(token, logits.getFirst()));
    }
    int guessed = chosen.length - 1;
    for (int i = 0; ; i++) {
      tokens.append(chosen, i, 1);
      tokens.setPending();
      decoded++;
      int token = choose(logits.get(i));
      Optional<StopReason> over = continuation.accept(token, logits.get(i));
      boolean right = i < guessed && token == chosen[i + 1];
      if (over.isPresent() || !right) {
        lookup.was(guessed, i);
        if (over.isEmpty()) {
          chosen = withGuess(token);
        }
        return new Gain(i + 1, guessed, i, over);
      }
    }
  }

  private Optional<StopReason> goesOn(int token, MemorySegment logits) {
    Optional<StopReason> over = continuation.accept(token, logits);
    if (over.isEmpty()) {
      chosen = withGuess(token);
    }
    return over;
  }

  /// A token, and what may follow it, as far as the context and the request go.
  private int[] withGuess(int token) {
    int room =
        Math.min(
            tokens.capacity() - tokens.position() - 1,
            options.maxTokens() - continuation.generated().size() - 1);
    return SessionTokens.concat(new int[] {token}, lookup.guess(tokens, token, room));
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

  /// The tokens in its caches.
  int[] history() {
    return tokens.history();
  }

  /// Ends it, with what it has.
  void end(StopReason stop) {
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
    completion.fail(failure);
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}

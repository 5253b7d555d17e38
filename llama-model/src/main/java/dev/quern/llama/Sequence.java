package dev.quern.llama;

import dev.quern.llama.error.PromptException;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.KvCaches;
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
  private int next; // token to run, when the prompt is done
  private double prefillSeconds = Double.NaN;
  private double firstTokenSeconds = Double.NaN;
  private int decoded;

  /// @throws PromptException if there is no prompt, or it does not fit
  /// @throws dev.quern.llama.error.LlamaException if the vocabulary lacks a token of it
  Sequence(LlamaModel model, EngineRequest request, Completion completion) {
    this.model = model;
    this.completion = completion;
    options = request.options();
    hasDeadline = request.deadline().isPresent();
    deadline = submitted + request.deadline().map(d -> d.toNanos()).orElse(0L);
    tokens = new SessionTokens(model.context(), model.config().vocabulary());
    prompt = tokens.withPending(request.prompt());
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
    continuation =
        new Continuation(model, options, tokens, prompt, _ -> true, text, this::isCancelled);
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
      rows = 1;
      return new ForwardPass.Part(caches, tokens.position(), new int[] {next}, 0, 1, 1);
    }
    int from = taken;
    rows = Math.min(most, prompt.length - taken);
    taken += rows;
    return new ForwardPass.Part(
        caches, tokens.position(), prompt, from, rows, isDecoding() ? 1 : 0);
  }

  /// The step was made.
  void ran() {
    int position = tokens.position();
    if (position < prompt.length) {
      tokens.append(prompt, position, rows);
    } else {
      tokens.append(new int[] {next}, 0, 1);
      tokens.setPending();
      decoded++;
    }
  }

  /// Goes on.
  ///
  /// @param logits behind the rows that were run
  /// @return why it is over; empty where it is not
  Optional<StopReason> accept(MemorySegment logits) {
    if (Double.isNaN(prefillSeconds)) {
      prefillSeconds = seconds(started);
      if (continuation.isFull()) {
        return Optional.of(StopReason.MAX_TOKENS);
      }
    }
    next = continuation.choose(logits);
    if (Double.isNaN(firstTokenSeconds)) {
      firstTokenSeconds = seconds(submitted);
    }
    return continuation.accept(next);
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
      completion.end(new Generation(List.of(), stop, 0, 0, Double.NaN, 0, 0));
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
            seconds(started) - prefill));
  }

  /// Ends it with what went wrong.
  void fail(Throwable failure) {
    completion.fail(failure);
  }

  private static double seconds(long start) {
    return (System.nanoTime() - start) / 1e9;
  }
}

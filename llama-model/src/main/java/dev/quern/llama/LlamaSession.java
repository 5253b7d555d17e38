package dev.quern.llama;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.KvCaches;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.function.Supplier;

/// One conversation with a model: a KV cache, activations, and the tokens so far. It serves one
/// thread at a time; [#cancel()] and [#close()] may come from any.
///
/// Text goes on where the last call ended, so a follow-up prompt costs only its own tokens.
///
/// All that run the model throw a [LlamaException] where logits come out NaN or infinite (it names
/// the tensor that is to blame, or the layer), or where the model's file was cut meanwhile, and a
/// [dev.quern.ProviderException] where a provider fails. From a closed session or model they throw
/// an [IllegalStateException].
///
/// @since 0.1
/// @stability api
public final class LlamaSession implements Openings.Opening {
  private final LlamaModel model;
  private final Arena arena = Arena.ofShared();
  private KvCaches caches; // null until they are allocated
  private final TokenLoop loop;
  private final ReentrantLock busy = new ReentrantLock();
  private final SessionTokens tokens;
  private final Optional<SessionText> text; // where the model has a vocabulary

  private volatile boolean cancelled;
  private volatile boolean closing;
  private boolean closed;

  LlamaSession(LlamaModel model, LoadOptions options) {
    this.model = model;
    int capacity = model.context();
    int batch = Math.min(options.batch(), capacity);
    this.tokens = new SessionTokens(capacity, model.config().vocabulary());
    this.text = SessionText.of(model, tokens);
    try {
      caches = model.newCaches();
      ForwardPass.Limits limits = new ForwardPass.Limits(capacity, batch, 1);
      ForwardPass forward = model.newForwardPass(model.operators(), limits, arena);
      loop = new TokenLoop(model, forward, caches, batch, tokens, text);
    } catch (Throwable t) { // rethrown: only what was allocated here is released
      release();
      throw t;
    }
  }

  /// Positions of the KV cache.
  public int capacity() {
    return tokens.capacity();
  }

  /// Tokens in the KV cache.
  public int position() {
    return tokens.position();
  }

  /// Ids of the tokens in the KV cache.
  public int[] history() {
    return tokens.history();
  }

  /// Continues a text, and hands on the generated part piece by piece, never splitting a character:
  /// of one that is cut by the limit of tokens, nothing is handed on until a later call completes
  /// it. In a new session the token that the vocabulary wants at a text's start comes before the
  /// prompt; later prompts join what is there as they are, within a word too. Special tokens in the
  /// prompt count as text; for those of an application, see [#encodePrompt(String, boolean)].
  ///
  /// What is handed on holds nothing of a stop string, nor of what the model said behind it, and
  /// the session goes on from there: tokens of the stop string are forgotten. Text that might have
  /// become a stop string is handed on when it turns out not to be one.
  ///
  /// Greedy text does not depend on how it is asked for: `n + m` tokens in one call are those of a
  /// call for `n` and another one for `m` with an empty prompt (where neither stop strings nor the
  /// context's end come between). Where tokens are drawn, each call begins with the options' seed.
  /// A prompt in two parts is the same text as the whole; its tokens are the same where the
  /// vocabulary begins a token between the parts. A call that throws before it generates, or is
  /// cancelled in the prompt, leaves the session as it was.
  ///
  /// @param prompt text to continue; may be empty
  /// @param text hears the continuation, on the calling thread
  /// @throws LlamaException if the prompt does not fit, or is empty and there is nothing to go on
  ///   from
  public Generation generate(String prompt, GenerationOptions options, Consumer<String> text) {
    return generate(encodePrompt(prompt), options, text);
  }

  /// [#generate(String, GenerationOptions, Consumer)] for a prompt of token ids, taken as they are.
  public Generation generate(int[] prompt, GenerationOptions options, Consumer<String> text) {
    return exclusively(() ->
        loop.generate(
            prompt,
            options,
            token -> true,
            Optional.of(generated(options, text)),
            () -> isCancelled(options)));
  }

  /// [#generate(int[], GenerationOptions, Consumer)] behind a text that begins it all. What the
  /// session has of it is not run again, and what it has else is forgotten.
  Generation generateAnew(int[] whole, GenerationOptions options, Consumer<String> text) {
    return exclusively(() ->
        loop.generateAnew(whole, options, generated(options, text), () -> isCancelled(options)));
  }

  /// The tokens from a place on, those included that are not in the KV cache yet.
  int[] tokensFrom(int from) {
    return exclusively(() -> {
      int[] all = tokens.all();
      return Arrays.copyOfRange(all, Math.min(from, all.length), all.length);
    });
  }

  /// Continues a text several times, one after the other, and runs the prompt once. Each completion
  /// is what [#generate(int[], GenerationOptions, Consumer)] alone gives with that seed: the
  /// options' for the first, one more for each that follows. Greedy ones are all the same. The
  /// session goes on behind the prompt, as if nothing had been generated.
  ///
  /// @param prompt token ids, taken as they are; [#encodePrompt(String)] has those of a text
  /// @param count how many completions
  /// @param text given a completion's number, from 0, when it begins: who hears it, on the calling
  ///   thread
  /// @return one generation for each; fewer where one was cancelled, which is the last. The
  ///   prompt's tokens and time are the first one's
  /// @throws LlamaException if `count` is not at least 1, if the prompt does not fit, or is empty
  ///   and there is nothing to go on from
  public List<Generation> completions(
      int[] prompt, int count, GenerationOptions options, IntFunction<Consumer<String>> text) {
    if (count < 1) {
      throw new RequestException(
          String.format(Locale.ROOT, "completions: %d, expected at least 1", count));
    }
    model.tokenizer(); // a file without a vocabulary is refused before anything is run
    return exclusively(() ->
        loop.completions(
            prompt,
            count,
            options,
            i -> generated(options, text.apply(i)),
            () -> isCancelled(options)));
  }

  /// [#encodePrompt(String, boolean)], special tokens in the text counting as text.
  public int[] encodePrompt(String prompt) {
    return encodePrompt(prompt, false);
  }

  /// The prompt as [#generate(String, GenerationOptions, Consumer)] runs it: in a new session with
  /// the vocabulary's start token, unless that is what it begins with; in others as the text goes
  /// on.
  ///
  /// @param special whether the text of a special token becomes that token, as in a prompt that the
  ///   application wrote, or is text like any other
  public int[] encodePrompt(String prompt, boolean special) {
    Tokenizer tokenizer = model.tokenizer();
    OptionalInt last = tokens.last();
    if (last.isPresent()) {
      return tokenizer.encodeBehind(last.getAsInt(), prompt, special);
    }
    return tokenizer.encodeBeginning(prompt, special);
  }

  /// Generates token ids; works without a vocabulary, unless the options have stop strings.
  ///
  /// @param prompt token ids to process first
  /// @param onToken hears every generated token, on the calling thread; false ends the generation
  /// @throws LlamaException if the prompt does not fit, holds an id that the model lacks, or is
  ///   empty and there is nothing to go on from
  public Generation generateTokens(int[] prompt, GenerationOptions options, IntPredicate onToken) {
    return exclusively(() ->
        loop.generate(
            prompt,
            options,
            onToken,
            options.stopStrings().isEmpty()
                ? Optional.empty()
                : Optional.of(generated(options, _ -> {})),
            () -> isCancelled(options)));
  }

  /// Processes tokens without generating any.
  ///
  /// @param logits hears the logits `[vocabulary]` after each token, in order; the array is its own
  public void evaluate(int[] tokens, Consumer<float[]> logits) {
    evaluate(tokens, tokens.length + 1, logits); // a pending token's are wanted too
  }

  /// [#evaluate(int[], Consumer)] for those who need the logits after the last tokens only.
  ///
  /// @param wanted of how many of the last tokens; more than there are means all
  public void evaluate(int[] tokens, int wanted, Consumer<float[]> logits) {
    exclusively(() -> {
      loop.evaluate(tokens, wanted, logits);
      return null;
    });
  }

  /// See [Measurements#fillWithNoise].
  void fillWithNoise(int positions, long seed) {
    exclusively(() -> {
      loop.fillWithNoise(positions, new SplittableRandom(seed));
      return null;
    });
  }

  /// Forgets all tokens from `position` on.
  ///
  /// @throws LlamaException if there are fewer
  public void rewind(int position) {
    exclusively(() -> {
      if (position < 0 || position > tokens.position()) {
        throw new RequestException(
            String.format(
                Locale.ROOT, "rewind: position=%d, expected 0 to %d", position, tokens.position()));
      }
      loop.goBack(position);
      return null;
    });
  }

  /// Writes tokens, keys and values to a file, from which [#restore] goes on without running them
  /// again. It is about as large as the filled part of the KV cache.
  ///
  /// @param file replaced if it is there
  /// @throws IOException if it can't be written; the message names it
  public void save(Path file) throws IOException {
    withFile(f -> {
      f.write(file, new SessionFile.Tokens(tokens.history(), tokens.pending()));
      return null;
    });
  }

  /// Goes on from what [#save] has written: tokens of this session are forgotten. Text goes on as
  /// it would have there, to the bit under `quern.numerics=invariant` and with the same provider. A
  /// file that is refused leaves the session as it was.
  ///
  /// @throws LlamaException if it is no such file, or damaged, or of another model, KV format or
  ///   version, or has more tokens than this context has room for
  /// @throws IOException if it can't be read
  public void restore(Path file) throws IOException {
    withFile(f -> {
      SessionFile.Tokens read = f.read(file, tokens.position());
      loop.goBack(0);
      tokens.append(read.history(), 0, read.history().length);
      tokens.setPending(read.pending());
      return null;
    });
  }

  /// What may throw an [IOException].
  private interface FileAction<T> {
    T run(SessionFile file) throws IOException;
  }

  private <T> T withFile(FileAction<T> action) throws IOException {
    try {
      return exclusively(() -> {
        try {
          return action.run(new SessionFile(model, caches));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /// Ends the generation that is running, if one is, before its next token. One that begins later
  /// does not hear of it; see [Cancellation] for that.
  public void cancel() {
    cancelled = true;
  }

  /// Cancels a running generation, waits for it, and frees the session's memory.
  ///
  /// @throws IllegalStateException inside a callback of this session: call [#cancel()] there
  @Override
  public void close() {
    if (isRunningHere()) {
      throw new IllegalStateException(
          "session: close() inside a callback of its own generation, expected cancel()");
    }
    closing = true;
    busy.lock();
    try {
      if (!closed) {
        closed = true;
        release();
        model.forget(this);
      }
    } finally {
      busy.unlock();
    }
  }

  private void requireOpen(boolean closed) {
    model.requireOpen();
    if (closed) {
      throw new IllegalStateException("session: closed");
    }
  }

  private GeneratedText generated(GenerationOptions options, Consumer<String> listener) {
    model.tokenizer(); // a file without a vocabulary is refused before anything is run
    return new GeneratedText(text.orElseThrow(), options.stopStrings(), Piece.texts(listener));
  }

  private boolean isCancelled(GenerationOptions options) {
    return options.cancellation().map(Cancellation::isCancelled).orElse(false)
        || cancelled
        || closing
        || Thread.currentThread().isInterrupted();
  }

  /// Whether this thread is inside one of the session's calls, that is in a callback.
  boolean isRunningHere() {
    return busy.isHeldByCurrentThread();
  }

  private <T> T exclusively(Supplier<T> action) {
    if (isRunningHere()) {
      throw new IllegalStateException("session: called from inside its own generation");
    }
    if (!busy.tryLock()) {
      requireOpen(closing); // whoever closes it holds the lock
      throw new IllegalStateException(
          "session: in use by another thread; open one session for each conversation");
    }
    try {
      requireOpen(closed);
      cancelled = false;
      return action.get();
    } catch (InternalError e) {
      throw SystemFailures.explained(e, model.name());
    } finally {
      busy.unlock();
    }
  }

  private void release() {
    arena.close();
    if (caches != null) {
      caches.close();
    }
  }
}

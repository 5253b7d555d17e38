package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.llama.sampling.Sampler;
import dev.quern.llama.tokenizer.StreamingDecoder;
import dev.quern.llama.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.function.Supplier;

/// One conversation with a model: a KV cache, activations, and the tokens so far. It serves one
/// thread at a time; [#cancel()] and [#close()] may come from any.
///
/// Text goes on where the last call ended, so a follow-up prompt costs only its own tokens.
public final class LlamaSession implements AutoCloseable {
  private static final int NONE = -1;

  private final LlamaModel model;
  private final int capacity;
  private final int batch;
  private final Arena arena = Arena.ofShared();
  private KvCaches caches; // null until they are allocated
  private final ForwardPass forward;
  private final ReentrantLock busy = new ReentrantLock();

  /// Tokens whose keys and values are in the cache.
  private final int[] history;

  private int position;

  /// A generated token that is not in the cache yet, since nothing had to follow it.
  private int pending = NONE;

  /// Turns the tokens so far into text. It holds back the bytes of a character that is not
  /// complete, across calls; null where the model has no vocabulary.
  private StreamingDecoder decoder;

  /// Tokens, the pending one included, that the decoder has seen.
  private int decoded;

  private volatile boolean cancelled;
  private volatile boolean closing;
  private boolean closed;

  LlamaSession(LlamaModel model, LoadOptions options) {
    this.model = model;
    this.capacity = model.context();
    this.batch = Math.min(options.batch(), capacity);
    this.history = new int[capacity];
    this.decoder = newDecoder();
    try {
      LlamaConfig config = model.config();
      caches = new KvCaches(config, options.kv(), capacity);
      forward =
          new ForwardPass(
              config, model.weights(), model.operators(), caches, batch, model.workers(), arena);
    } catch (Throwable t) { // rethrown: only what was allocated here is released
      release();
      throw t;
    }
  }

  /// Positions of the KV cache.
  public int capacity() {
    return capacity;
  }

  /// Tokens in the KV cache.
  public int position() {
    return position;
  }

  /// Ids of the tokens in the KV cache.
  public int[] history() {
    return Arrays.copyOf(history, position);
  }

  /// Continues a text, and hands on the generated part piece by piece, never splitting a character:
  /// of one that is cut by the limit of tokens, nothing is handed on until a later call completes
  /// it. In a new session the token that the vocabulary wants at a text's start comes before the
  /// prompt.
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
    model.tokenizer(); // a file without a vocabulary is refused before anything is run
    Generation generation =
        generateTokens(
            prompt,
            options,
            id -> {
              emit(decodeNext(id), text);
              return true;
            });
    if (generation.stop() == StopReason.END_OF_TEXT) {
      emit(decoder.finish(), text);
    }
    return generation;
  }

  /// The prompt as [#generate(String, GenerationOptions, Consumer)] runs it: with the vocabulary's
  /// start token in a new session. Special tokens in the text count as text.
  public int[] encodePrompt(String prompt) {
    Tokenizer tokenizer = model.tokenizer();
    int[] ids = tokenizer.encode(prompt, false);
    boolean begins = position == 0 && pending == NONE && tokenizer.addsBos();
    return begins ? prepend(tokenizer.bos().getAsInt(), ids) : ids;
  }

  /// Generates token ids; works without a vocabulary.
  ///
  /// @param prompt token ids to process first
  /// @param onToken hears every generated token, on the calling thread; false ends the generation
  /// @throws LlamaException if the prompt does not fit, holds an id that the model lacks, or is
  ///   empty and there is nothing to go on from
  public Generation generateTokens(int[] prompt, GenerationOptions options, IntPredicate onToken) {
    return exclusively(() -> doGenerate(prompt, options, onToken));
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
      int[] ids = withPending(tokens);
      checkRoom(ids.length);
      int first = ids.length - wanted; // of which the logits are wanted
      for (int done = 0; done < ids.length; ) {
        int rows = Math.min(batch, ids.length - done);
        int unwanted = Math.clamp(first - done, 0, rows);
        step(ids, done, rows, rows - unwanted);
        for (int r = unwanted; r < rows; r++) {
          logits.accept(toArray(forward.logits(r)));
        }
        done += rows;
      }
      return null;
    });
  }

  /// For measurements: goes on by so many positions whose keys and values are random numbers. It
  /// takes the time of storing them, where running a prompt of that length may take minutes; what a
  /// later token costs does not depend on the values. What it says does, so the text from then on
  /// is noise.
  ///
  /// @param positions how many; the history has token 0 in their place
  /// @param seed of the numbers
  /// @throws LlamaException if they don't fit
  public void fillWithNoise(int positions, long seed) {
    exclusively(() -> {
      pending = NONE;
      checkRoom(positions);
      SplittableRandom random = new SplittableRandom(seed);
      for (int done = 0; done < positions; ) {
        int rows = Math.min(batch, positions - done);
        forward.appendNoise(position, rows, random);
        Arrays.fill(history, position, position + rows, 0);
        position += rows;
        done += rows;
      }
      return null;
    });
  }

  /// Forgets all tokens from `position` on.
  ///
  /// @throws LlamaException if there are fewer
  public void rewind(int position) {
    exclusively(() -> {
      if (position < 0 || position > this.position) {
        throw new LlamaException(
            String.format(
                Locale.ROOT, "rewind: position=%d, expected 0 to %d", position, this.position));
      }
      this.position = position;
      pending = NONE;
      decoder = newDecoder();
      decoded = 0;
      return null;
    });
  }

  /// Ends the generation that is running, if one is, before its next token.
  public void cancel() {
    cancelled = true;
  }

  /// Cancels a running generation, waits for it, and frees the session's memory.
  ///
  /// @throws IllegalStateException inside a callback of this session: call [#cancel()] there
  @Override
  public void close() {
    if (busy.isHeldByCurrentThread()) {
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

  private Generation doGenerate(int[] prompt, GenerationOptions options, IntPredicate onToken) {
    final long start = System.nanoTime();
    int[] ids = withPending(prompt);
    if (ids.length == 0) {
      throw new LlamaException("prompt: no tokens, expected at least one to go on from");
    }
    checkRoom(ids.length);
    Sampler sampler = new Sampler(options.sampling(), model.config().vocabulary());
    sampler.accept(history());
    sampler.accept(ids);
    List<Integer> generated = new ArrayList<>();
    StopReason stop = prefill(ids);
    model.profile().ifPresent(KernelProfile::endPrompt);
    final double prefillSeconds = seconds(start);

    double firstToken = Double.NaN;
    int decoded = 0;
    long decodeStart = System.nanoTime();
    int lastRow = (ids.length - 1) % batch;
    while (stop == null) {
      if (generated.size() >= options.maxTokens()) {
        stop = StopReason.MAX_TOKENS;
        break;
      }
      FlightRecorder.TokenEvent event = FlightRecorder.token();
      int token = sample(sampler, lastRow);
      if (Double.isNaN(firstToken)) {
        model.profile().ifPresent(KernelProfile::endPrompt);
        firstToken = seconds(start);
        decodeStart = System.nanoTime();
      }
      if (!options.ignoreEnd() && isEnd(token)) {
        stop = StopReason.END_OF_TEXT;
      } else if (options.stopTokens().contains(token)) {
        stop = StopReason.STOP_TOKEN;
      } else {
        generated.add(token);
        pending = token;
        if (!onToken.test(token) || isCancelled()) {
          stop = StopReason.CANCELLED;
        } else if (generated.size() >= options.maxTokens()) {
          stop = StopReason.MAX_TOKENS;
        } else if (position == capacity) {
          stop = StopReason.CONTEXT_FULL;
        } else {
          step(new int[] {token}, 0, 1, 1);
          pending = NONE;
          lastRow = 0;
          decoded++;
        }
      }
      if (event != null) {
        event.finish(token, position);
      }
    }
    return new Generation(
        generated, stop, ids.length, prefillSeconds, firstToken, decoded, seconds(decodeStart));
  }

  /// Runs a prompt in batches; returns [StopReason#CANCELLED] if that came, else null.
  private StopReason prefill(int[] ids) {
    for (int done = 0; done < ids.length; done += batch) {
      if (isCancelled()) {
        return StopReason.CANCELLED;
      }
      int rows = Math.min(batch, ids.length - done);
      step(ids, done, rows, done + rows == ids.length ? 1 : 0);
      pending = NONE;
    }
    return null;
  }

  /// @param wanted of how many of the last rows logits may be asked for
  private void step(int[] ids, int from, int rows, int wanted) {
    FlightRecorder.ForwardPassEvent event = FlightRecorder.forwardPass();
    forward.run(ids, from, rows, position, wanted);
    if (event != null) {
      event.finish(position, rows);
    }
    System.arraycopy(ids, from, history, position, rows);
    position += rows;
  }

  private int sample(Sampler sampler, int row) {
    return sampler.next(forward.logits(row).data());
  }

  private boolean isEnd(int token) {
    return model.hasTokenizer() && model.tokenizer().isEndOfGeneration(token);
  }

  private int[] withPending(int[] ids) {
    int vocabulary = model.config().vocabulary();
    for (int id : ids) {
      if (id < 0 || id >= vocabulary) {
        throw new LlamaException(
            String.format(Locale.ROOT, "token id %d, expected 0 to %d", id, vocabulary - 1));
      }
    }
    if (pending == NONE) {
      return ids;
    }
    return prepend(pending, ids);
  }

  private static int[] prepend(int first, int[] rest) {
    int[] all = new int[rest.length + 1];
    all[0] = first;
    System.arraycopy(rest, 0, all, 1, rest.length);
    return all;
  }

  private void checkRoom(int tokens) {
    if (tokens > capacity - position) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "prompt: %d tokens after %d, expected at most %d together: the context; load the model with a larger one (it was trained for %d), or shorten the prompt",
              tokens,
              position,
              capacity,
              model.config().contextLength()));
    }
  }

  private boolean isCancelled() {
    return cancelled || closing || Thread.currentThread().isInterrupted();
  }

  private <T> T exclusively(Supplier<T> action) {
    if (busy.isHeldByCurrentThread()) {
      throw new IllegalStateException("session: called from inside its own generation");
    }
    if (!busy.tryLock()) {
      throw new IllegalStateException(
          "session: in use by another thread; open one session for each conversation");
    }
    try {
      if (closed) {
        throw new IllegalStateException("session: closed");
      }
      cancelled = false;
      return action.get();
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

  private StreamingDecoder newDecoder() {
    return model.hasTokenizer() ? StreamingDecoder.atStart(model.tokenizer(), false) : null;
  }

  /// The text that a generated token completes, after all that came before it.
  private String decodeNext(int token) {
    while (decoded < position) {
      decoder.next(history[decoded++]);
    }
    decoded++;
    return decoder.next(token);
  }

  private static void emit(String piece, Consumer<String> text) {
    if (!piece.isEmpty()) {
      text.accept(piece);
    }
  }

  private static float[] toArray(F32Matrix logits) {
    return logits.data().toArray(JAVA_FLOAT);
  }

  private static double seconds(long startNanos) {
    return (System.nanoTime() - startNanos) / 1e9;
  }
}

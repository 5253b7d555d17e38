package dev.quern.llama;

import dev.quern.data.F32Matrix;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.KvCaches;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.locks.ReentrantLock;

/// Turns texts into vectors: what the last layer has behind a text's tokens, normed as for the
/// output matrix, pooled, and scaled to a length of 1, so that a dot product of two is the cosine
/// between them. As llama.cpp's server gives them (`--embeddings --pooling mean` or `last`).
///
/// Any model can be asked; of one that was trained to say the next word, near texts need not have
/// near vectors. Any thread may call it; one text is taken at a time.
///
/// ```java
/// try (LlamaModel model = LlamaModel.load(Path.of("model.gguf"));
///     Embedder embedder = model.newEmbedder()) {
///   float[] vector = embedder.embed("Once upon a time", Pooling.MEAN);
/// }
/// ```
///
/// @since 0.1
/// @stability api
public final class Embedder implements Openings.Opening {
  private final LlamaModel model;
  private final Arena arena = Arena.ofShared();
  private final ForwardPass forward;
  private final KvCaches caches;
  private final int batch;
  private final ReentrantLock busy = new ReentrantLock(true);
  private boolean closed; // guarded by busy

  Embedder(LlamaModel model, LoadOptions options) {
    this.model = model;
    batch = Math.min(options.batch(), model.context());
    ForwardPass.Limits limits = new ForwardPass.Limits(model.context(), batch, 1);
    try {
      forward = model.newForwardPass(model.operators(), limits, arena);
      caches = model.newCaches();
    } catch (Throwable t) { // rethrown: only what was allocated here is released
      arena.close();
      throw t;
    }
  }

  /// Elements of a vector: the model's width.
  public int width() {
    return model.config().width();
  }

  /// [#embed(int[], Pooling)] of a text's tokens, with those that the vocabulary wants at its start
  /// and end. Special tokens in the text count as text.
  ///
  /// @throws LlamaException also if the model has no vocabulary
  public float[] embed(String text, Pooling pooling) {
    return embed(model.tokenizer().encodePrompt(text, false), pooling);
  }

  /// A vector of length 1, or of zeros where all elements are.
  ///
  /// @param tokens ids, taken as they are
  /// @return F32 `[width]`, a new array
  /// @throws LlamaException if there are no tokens, more than the context has room for, or one that
  ///   the vocabulary lacks; or if the vector has elements that are not finite
  /// @throws IllegalStateException if this or the model is closed
  public float[] embed(int[] tokens, Pooling pooling) {
    SessionTokens.require(tokens, model.config().vocabulary());
    if (tokens.length == 0) {
      throw TokenLoop.nothing();
    }
    TokenLoop.requireRoom(model, tokens.length, 0);
    busy.lock();
    try {
      model.requireOpen();
      if (closed) {
        throw new IllegalStateException("embedder: closed");
      }
      return normalized(pooled(tokens, pooling));
    } catch (InternalError e) {
      throw SystemFailures.explained(e, model.name());
    } finally {
      busy.unlock();
    }
  }

  private double[] pooled(int[] tokens, Pooling pooling) {
    double[] sum = new double[width()];
    for (int done = 0; done < tokens.length; ) {
      int rows = Math.min(batch, tokens.length - done);
      boolean last = done + rows == tokens.length;
      int wanted = pooling == Pooling.MEAN ? rows : last ? 1 : 0;
      forward.run(List.of(new ForwardPass.Part(caches, done, tokens, done, rows, wanted)));
      if (wanted > 0) {
        add(forward.hidden(rows - wanted, rows), sum);
      }
      done += rows;
    }
    return sum;
  }

  private static void add(F32Matrix rows, double[] sum) {
    for (int r = 0; r < rows.rows(); r++) {
      for (int c = 0; c < sum.length; c++) {
        sum[c] += rows.get(r, c);
      }
    }
  }

  /// The number of rows cancels out.
  private float[] normalized(double[] sum) {
    double squares = 0;
    for (double x : sum) {
      squares += x * x;
    }
    if (!Double.isFinite(squares)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "%s: the vector has elements that are NaN or infinite: the file is damaged, or a kernel is wrong; compare with quern.provider=scalar",
              model.name()));
    }
    float[] unit = new float[sum.length];
    for (int i = 0; i < sum.length; i++) {
      unit[i] = squares == 0 ? 0 : (float) (sum[i] / Math.sqrt(squares));
    }
    return unit;
  }

  /// Waits for a text that is being embedded, and frees the memory.
  @Override
  public void close() {
    busy.lock();
    try {
      if (!closed) {
        closed = true;
        caches.close();
        arena.close();
        model.forget(this);
      }
    } finally {
      busy.unlock();
    }
  }
}

package dev.quern.serve.model;

import dev.quern.llama.Embedder;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.Pooling;
import dev.quern.serve.http.HttpFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/// A model's embedder, which takes a text at a time, and those who wait for it: the texts of
/// several requests come in turn, so that a long list does not hold up a single text. Any thread
/// may call it.
public final class EmbeddingQueue implements AutoCloseable {
  private final LlamaModel model;
  private final int most;
  private final Semaphore places;
  private final ReentrantLock busy = new ReentrantLock(true);
  private Embedder embedder; // opened for the first text; guarded by busy
  private boolean closed; // guarded by busy

  /// @param waiting most requests that wait while another is answered
  EmbeddingQueue(LlamaModel model, int waiting) {
    this.model = model;
    most = waiting + 1;
    places = new Semaphore(most);
  }

  /// The vectors of texts, as [Embedder#embed(int\[\], Pooling)] gives them.
  ///
  /// @param texts token ids
  /// @param patience asked before each text: how long the request may still take, if there is an
  ///   end to it. It throws where nobody waits for the answer any more
  /// @throws HttpFailure 429 where too many wait; 504 where the time is over
  public List<float[]> embed(
      List<int[]> texts, Pooling pooling, Supplier<Optional<Duration>> patience)
      throws InterruptedException {
    if (!places.tryAcquire()) {
      throw HttpFailure.of(
              429,
              "queue_full",
              String.format(
                  Locale.ROOT,
                  "embeddings: %d requests wait already, expected at most %d (--queue); ask again later",
                  most - 1,
                  most - 1))
          .with("Retry-After", "1");
    }
    try {
      List<float[]> vectors = new ArrayList<>();
      for (int[] text : texts) {
        vectors.add(embed(text, pooling, patience.get()));
      }
      return vectors;
    } finally {
      places.release();
    }
  }

  private float[] embed(int[] text, Pooling pooling, Optional<Duration> left)
      throws InterruptedException {
    if (left.isEmpty()) {
      busy.lockInterruptibly();
    } else if (!left.get().isPositive()
        || !busy.tryLock(left.get().toNanos(), TimeUnit.NANOSECONDS)) {
      throw HttpFailure.of(
          504,
          "deadline_exceeded",
          "the request took longer than the server's --deadline, expected fewer texts, or a larger one");
    }
    try {
      if (closed) {
        throw HttpFailure.of(503, "model_closed", "the model was closed, ask again");
      }
      if (embedder == null) {
        embedder = model.newEmbedder();
      }
      return embedder.embed(text, pooling);
    } finally {
      busy.unlock();
    }
  }

  @Override
  public void close() {
    busy.lock();
    try {
      closed = true;
      if (embedder != null) {
        embedder.close();
      }
    } finally {
      busy.unlock();
    }
  }
}

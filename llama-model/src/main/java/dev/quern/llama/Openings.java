package dev.quern.llama;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/// What is open of a model: its sessions, engines and embedders, which end with it. Safe for use by
/// several threads.
final class Openings {
  /// Something that uses a model's weights until it is closed.
  sealed interface Opening extends AutoCloseable permits LlamaSession, Engine, Embedder {
    /// Waits for what runs; of several callers, all return when it is closed.
    @Override
    void close();
  }

  private final Set<Opening> all = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /// Opens something.
  ///
  /// @param doing what a message calls it
  /// @throws IllegalStateException if the model is closed, be it meanwhile
  <T extends Opening> T open(String doing, Supplier<T> opener) {
    requireOpen();
    T opening;
    try {
      opening = opener.get();
    } catch (OutOfMemoryError e) {
      throw SystemFailures.outOfMemory(doing, "", e);
    } catch (IllegalStateException e) { // closed meanwhile: its kernels say so in their words
      requireOpen();
      throw e;
    }
    add(opening);
    return opening;
  }

  /// Has something end with the model.
  ///
  /// @throws IllegalStateException if the model is closed; it is closed as well then
  void add(Opening opening) {
    all.add(opening);
    if (closed) { // meanwhile: close() may have missed this one
      opening.close();
    }
    requireOpen();
  }

  /// Notes that something is closed.
  void forget(Opening opening) {
    all.remove(opening);
  }

  /// @throws IllegalStateException if the model is closed
  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
  }

  /// Closes all that is open, and then what they used. Calls from several threads return when it is
  /// closed.
  ///
  /// @throws IllegalStateException inside a callback of one of the sessions; nothing is closed then
  void close(Runnable used) {
    if (all.stream().anyMatch(o -> o instanceof LlamaSession s && s.isRunningHere())) {
      throw new IllegalStateException(
          "model: close() inside a callback of one of its sessions, expected cancel() there and close() when the call has returned");
    }
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      all.forEach(Opening::close);
      used.run();
    }
  }
}

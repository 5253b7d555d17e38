package dev.quern.llama;

import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;

/// A request that an [Engine] has taken. Its text arrives piece by piece on a virtual thread of its
/// own, so that a slow listener holds up nobody else.
///
/// @since 0.1
/// @stability api
public final class Completion {
  private final BlockingQueue<Optional<Piece>> pieces = new LinkedBlockingQueue<>();
  private final CompletableFuture<Generation> ended = new CompletableFuture<>(); // in the engine
  private final CompletableFuture<Generation> heard = new CompletableFuture<>(); // by the listener
  private volatile boolean cancelled;

  Completion(PieceListener listener) {
    Thread.ofVirtual().name("quern-completion").start(() -> hear(listener));
  }

  /// Waits until the request has ended and the listener has heard all of it.
  ///
  /// @throws RuntimeException what ended it: a [dev.quern.QuernException], as a session's calls
  ///   throw it, or what the listener threw, which cancels the request
  /// @throws InterruptedException if this thread is interrupted; the request goes on
  public Generation await() throws InterruptedException {
    try {
      return heard.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException r -> throw r;
        case Error r -> throw r;
        default -> throw new IllegalStateException(e.getCause()); // neither can be
      }
    }
  }

  /// Whether it has ended and was heard.
  public boolean isDone() {
    return heard.isDone();
  }

  /// Ends the request with [StopReason#CANCELLED], before the engine's next step.
  public void cancel() {
    cancelled = true;
  }

  boolean isCancelled() {
    return cancelled;
  }

  void say(Piece piece) {
    pieces.add(Optional.of(piece));
  }

  void end(Generation generation) {
    ended.complete(generation);
    pieces.add(Optional.empty());
  }

  void fail(Throwable failure) {
    ended.completeExceptionally(failure);
    pieces.add(Optional.empty());
  }

  private void hear(PieceListener listener) {
    try {
      for (Optional<Piece> p = pieces.take(); p.isPresent(); p = pieces.take()) {
        listener.accept(p.get());
      }
      if (!ended.isCompletedExceptionally()) {
        listener.end(ended.join());
      }
      ended.whenComplete((generation, failure) -> {
        if (failure == null) {
          heard.complete(generation);
        } else {
          heard.completeExceptionally(failure);
        }
      });
    } catch (Throwable t) { // the listener's; it is what await() throws
      cancel();
      heard.completeExceptionally(t);
    }
  }
}

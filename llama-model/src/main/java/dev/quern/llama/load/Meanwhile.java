package dev.quern.llama.load;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// Work on a thread of its own while the caller does something else: building Llama 3's tables of
/// tokens and merges keeps one core busy for as long as packing the weights keeps two.
///
/// @param <T> its result
public final class Meanwhile<T> implements AutoCloseable {
  private final FutureTask<T> task;
  private boolean joined;

  private Meanwhile(FutureTask<T> task) {
    this.task = task;
  }

  /// Begins.
  public static <T> Meanwhile<T> start(String name, Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofPlatform().name(name).daemon().start(task);
    return new Meanwhile<>(task);
  }

  /// Waits for the result. What the work throws comes out as it is, but for an [OutOfMemoryError],
  /// of which the JVM throws one object on any number of threads: whoever has the same already
  /// can't suppress it, so a copy comes out.
  public T join() throws IOException {
    joined = true;
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true; // the work reads memory that the caller frees next: it must end first
        } catch (ExecutionException e) {
          switch (e.getCause()) {
            case IOException cause -> throw cause;
            case RuntimeException cause -> throw cause;
            case OutOfMemoryError cause -> {
              OutOfMemoryError copy = new OutOfMemoryError(cause.getMessage());
              copy.setStackTrace(cause.getStackTrace());
              throw copy;
            }
            case Error cause -> throw cause;
            default -> throw new IllegalStateException(e.getCause());
          }
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /// Waits for the end, after which the work reads nothing any more. Throws what it threw, unless
  /// [#join] did: where the caller has failed, that is reported along with the caller's failure.
  @Override
  public void close() throws IOException {
    if (!joined) {
      join();
    }
  }
}

package dev.quern.llama.load;

import java.io.IOException;
import java.util.concurrent.Callable;

/// Work on a thread of its own while the caller does something else: building Llama 3's tables of
/// tokens and merges keeps one core busy for as long as packing the weights keeps two.
///
/// Not a `FutureTask`: in a full heap that can fail to note what was thrown, and then its caller
/// waits for ever. Here the thread's end is what is waited for.
///
/// @param <T> its result
public final class Meanwhile<T> implements AutoCloseable {
  private final Work<T> work;
  private final Thread thread;
  private boolean joined;

  private Meanwhile(Work<T> work, Thread thread) {
    this.work = work;
    this.thread = thread;
  }

  /// Allocates nothing of its own.
  private static final class Work<T> implements Runnable {
    private final Callable<T> call;
    private T value; // these two are read behind the thread's end
    private Throwable thrown;

    Work(Callable<T> call) {
      this.call = call;
    }

    @Override
    public void run() {
      try {
        value = call.call();
      } catch (Throwable t) { // rethrown by join()
        thrown = t;
      }
    }
  }

  /// Begins.
  public static <T> Meanwhile<T> start(String name, Callable<T> call) {
    Work<T> work = new Work<>(call);
    return new Meanwhile<>(work, Thread.ofPlatform().name(name).daemon().start(work));
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
          thread.join();
          break;
        } catch (InterruptedException e) {
          interrupted = true; // the work reads memory that the caller frees next: it must end first
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    switch (work.thrown) {
      case null -> {
        return work.value;
      }
      case IOException e -> throw e;
      case RuntimeException e -> throw e;
      case OutOfMemoryError e -> {
        OutOfMemoryError copy = new OutOfMemoryError(e.getMessage());
        copy.setStackTrace(e.getStackTrace());
        throw copy;
      }
      case Error e -> throw e;
      default -> throw new IllegalStateException(work.thrown);
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

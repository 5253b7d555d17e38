package dev.quern.conformance.run;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Asks a provider on a thread of its own, one thing after the other, and waits no longer than a
/// limit: what never comes back is left behind on its thread, a daemon, and the next thing gets
/// another thread. Handing over takes some microseconds. For one caller at a time.
public final class Watchdog implements AutoCloseable {
  private final String name;
  private ExecutorService executor;
  private volatile Thread thread;

  /// @param name the thread's, for who looks at a dump
  public Watchdog(String name) {
    this.name = name;
  }

  /// Asks one thing.
  ///
  /// @param what for the message: `the call`
  public static <T> T once(String what, Duration limit, Callable<T> body) throws Exception {
    try (Watchdog watchdog = new Watchdog(what)) {
      return watchdog.call(what, limit, body);
    }
  }

  /// Runs it, and passes on what it returns or throws.
  ///
  /// @param what for the message: `the call`
  /// @throws NoEndException if it does not end in its time
  public <T> T call(String what, Duration limit, Callable<T> body) throws Exception {
    if (executor == null) {
      executor = Executors.newFixedThreadPool(1, this::daemon);
    }
    Future<T> answer = executor.submit(body);
    SuiteThreads.enter(); // it has work around each call, too
    try {
      return answer.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException _) {
      NoEndException noEnd = new NoEndException(what, limit, thread);
      close(); // by an interrupt, which it may heed
      throw noEnd;
    } catch (InterruptedException e) {
      close();
      throw e;
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case Exception thrown -> throw thrown;
        case Error thrown -> throw thrown;
        default -> throw e;
      }
    }
  }

  private Thread daemon(Runnable body) {
    thread = SuiteThreads.unstarted(name, body);
    return thread;
  }

  /// Ends the thread, as soon as what it runs lets it.
  @Override
  public void close() {
    if (executor != null) {
      executor.shutdownNow();
      executor = null;
    }
  }
}

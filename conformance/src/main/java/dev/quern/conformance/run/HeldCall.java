package dev.quern.conformance.run;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// What a [Gate] holds in the middle, on a thread of its own.
///
/// @param <T> what it yields in the end
public final class HeldCall<T> {
  private final Gate gate;
  private final FutureTask<T> result;
  private final Thread thread;

  private HeldCall(Gate gate, FutureTask<T> result, Thread thread) {
    this.gate = gate;
    this.result = result;
    this.thread = thread;
  }

  /// A call of a kernel.
  public static HeldCall<byte[]> of(Run run, Gate gate) {
    return begin(gate, () -> run.call(gate, Prefill.NAN));
  }

  /// Anything with these workers.
  public static <T> HeldCall<T> begin(Gate gate, Callable<T> body) {
    FutureTask<T> result =
        new FutureTask<>(() -> {
          try {
            return body.call();
          } finally {
            gate.over();
          }
        });
    Thread thread = SuiteThreads.unstarted("held call", result);
    thread.start();
    return new HeldCall<>(gate, result, thread);
  }

  /// Waits until it is held, or over.
  ///
  /// @return whether it is held: it is not if it hands out no tasks
  /// @throws NoEndException if it is neither in that time
  public boolean await(Duration limit) throws InterruptedException {
    if (!gate.await(limit)) {
      throw new NoEndException("a call's way to its first task beside others", limit, thread);
    }
    return gate.held();
  }

  /// Lets it go on.
  public void letGo() {
    gate.open();
  }

  /// What it yields, once it was let go.
  ///
  /// @throws NoEndException if it does not end in that time
  public T result(Duration limit) throws Exception {
    try {
      return result.get(limit.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException _) {
      throw new NoEndException("a call that was held", limit, thread);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case Exception thrown -> throw thrown;
        case Error thrown -> throw thrown;
        default -> throw e;
      }
    }
  }
}

package dev.quern.llama;

import dev.quern.Operator;
import dev.quern.data.Task;
import dev.quern.data.Workers;
import dev.quern.llama.observe.ObservedKernels;
import java.util.concurrent.atomic.LongAdder;

/// Where a model's time goes: wall time inside kernel calls, by operator, and of that the time in
/// runs of several tasks, with what the threads really worked in them. What is left of a run's time
/// is the forward pass itself, sampling, and whatever else comes between kernels.
///
/// Given to [LoadOptions#withProfile] it observes the kernels of one model. It reads the clock
/// twice a call and twice a task, some 50 ns each time.
///
/// @since 0.1
/// @stability api
public final class KernelProfile {
  private final LongAdder[] nanos = new LongAdder[Operator.values().size()]; // by ordinal
  private final long[] promptNanos = new long[Operator.values().size()]; // of them, by ordinal

  private final LongAdder[] calls = new LongAdder[Operator.values().size()]; // by ordinal

  private final LongAdder parallelNanos = new LongAdder();
  private final LongAdder taskNanos = new LongAdder();

  public KernelProfile() {
    for (int i = 0; i < nanos.length; i++) {
      nanos[i] = new LongAdder();
      calls[i] = new LongAdder();
    }
  }

  /// Wall time inside the operator's kernels since the last [#reset()], checks of arguments
  /// included.
  public long nanos(Operator<?, ?> operator) {
    return nanos[operator.ordinal()].sum();
  }

  /// How often the operator's kernels were called since the last [#reset()]; a linear kernel of
  /// stacked matrices counts once.
  public long calls(Operator<?, ?> operator) {
    return calls[operator.ordinal()].sum();
  }

  /// Of [#nanos(Operator)], what the last prompt took, up to its first generated token.
  public long promptNanos(Operator<?, ?> operator) {
    return promptNanos[operator.ordinal()];
  }

  /// The prompt is done: what comes from now on is decoding.
  void endPrompt() {
    for (int i = 0; i < nanos.length; i++) {
      promptNanos[i] = nanos[i].sum();
    }
  }

  /// Wall time of the runs that kernels gave to the workers, from the first task's claim to the end
  /// of the join.
  public long parallelNanos() {
    return parallelNanos.sum();
  }

  /// Time inside tasks, summed over all threads. What [#parallelNanos()] times the number of
  /// threads has above it was spent on waking up and waiting for each other.
  public long taskNanos() {
    return taskNanos.sum();
  }

  /// Starts from zero. Only between runs.
  public void reset() {
    parallelNanos.reset();
    taskNanos.reset();
    for (int i = 0; i < nanos.length; i++) {
      nanos[i].reset();
      calls[i].reset();
      promptNanos[i] = 0;
    }
  }

  Workers timed(Workers workers) {
    return new Workers() {
      @Override
      public int parallelism() {
        return workers.parallelism();
      }

      @Override
      public void run(int tasks, Task body) {
        long start = System.nanoTime();
        workers.run(
            tasks,
            (task, worker) -> {
              long begun = System.nanoTime();
              body.run(task, worker);
              taskNanos.add(System.nanoTime() - begun);
            });
        parallelNanos.add(System.nanoTime() - start);
      }
    };
  }

  /// The kernels, observed.
  ObservedKernels<Long> kernels() {
    return new ObservedKernels<>(
        new ObservedKernels.Observer<>() {
          @Override
          public Long begin() {
            return System.nanoTime();
          }

          @Override
          public void end(Long begun, Operator<?, ?> operator, int rows) {
            nanos[operator.ordinal()].add(System.nanoTime() - begun);
            calls[operator.ordinal()].increment();
          }
        });
  }
}

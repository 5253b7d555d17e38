package dev.quern.conformance.run;

import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.cases.Schedule;
import dev.quern.data.Task;
import dev.quern.data.Workers;

/// Workers that run tasks as a [Schedule] says, and notice runs that nest. One call at a time.
public abstract class TestWorkers implements Workers, AutoCloseable {
  private final int parallelism;
  private volatile boolean running;
  private volatile boolean nested;

  TestWorkers(int parallelism) {
    this.parallelism = parallelism;
  }

  /// @param seed of the shuffled order
  public static TestWorkers of(Schedule schedule, long seed) {
    return schedule.order() == Schedule.Order.THREADS
        ? new ThreadWorkers(schedule.workers())
        : new OneThread(schedule, new Mix(seed, "workers"));
  }

  @Override
  public final int parallelism() {
    return parallelism;
  }

  /// Whether a task called `run`.
  public final boolean nested() {
    return nested;
  }

  @Override
  public final void run(int tasks, Task body) {
    if (tasks < 0) {
      throw new IllegalArgumentException("tasks=" + tasks + ", expected >= 0");
    }
    if (running) {
      nested = true;
      throw new IllegalStateException("P13: run was called from a task; runs do not nest");
    }
    running = true;
    try {
      runAll(tasks, body);
    } finally {
      running = false;
    }
  }

  abstract void runAll(int tasks, Task body);

  @Override
  public void close() {}

  /// All tasks on the calling thread, in an order and with worker numbers that a pool could show.
  private static final class OneThread extends TestWorkers {
    private final Schedule.Order order;
    private final Mix mix;
    private int next;

    OneThread(Schedule schedule, Mix mix) {
      super(schedule.workers());
      this.order = schedule.order();
      this.mix = mix;
    }

    @Override
    void runAll(int tasks, Task body) {
      int last = parallelism() - 1;
      switch (order) {
        case SEQUENTIAL, THREADS -> {
          for (int t = 0; t < tasks; t++) {
            body.run(t, t % parallelism());
          }
        }
        case REVERSED -> {
          for (int t = tasks - 1; t >= 0; t--) {
            body.run(t, last - t % parallelism());
          }
        }
        case ODD_FIRST -> {
          for (int t = 1; t < tasks; t += 2) {
            body.run(t, last);
          }
          for (int t = 0; t < tasks; t += 2) {
            body.run(t, last);
          }
        }
        case ONE_WORKER -> {
          int only = mix.below(parallelism());
          for (int t = 0; t < tasks; t++) {
            body.run(t, only);
          }
        }
        case ONE_ABSENT -> {
          int absent = mix.below(parallelism());
          for (int t = 0; t < tasks; t++) {
            body.run(t, last == 0 ? 0 : (absent + 1 + t % last) % parallelism());
          }
        }
        case BOTH_ENDS -> {
          int one = mix.below(parallelism());
          int other = last == 0 ? 0 : (one + 1 + mix.below(last)) % parallelism();
          for (int t = 0; t < tasks; t++) {
            body.run(t % 2 == 0 ? t / 2 : tasks - 1 - t / 2, t % 2 == 0 ? one : other);
          }
        }
        case RANGES -> {
          for (int t = tasks - 1; t >= 0; t--) {
            body.run(t, (int) ((long) t * parallelism() / tasks));
          }
        }
        case GOING_ON -> {
          for (int t = 0; t < tasks; t++) {
            body.run(t, next++ % parallelism());
          }
        }
        case SHUFFLED -> {
          int[] shuffled = new int[tasks];
          for (int t = 0; t < tasks; t++) { // Fisher and Yates, from the inside out
            int other = mix.below(t + 1);
            shuffled[t] = shuffled[other];
            shuffled[other] = t;
          }
          for (int t : shuffled) {
            body.run(t, mix.below(parallelism()));
          }
        }
      }
    }
  }
}

package dev.quern.provider.vector.lanes;

import dev.quern.data.Workers;

/// Cuts a number of equal items into tasks of consecutive items, and scratch into lines.
public final class Split {
  /// Bytes of a cache line: no two workers write to the same one.
  public static final int LINE = 64;

  /// Tasks are claimed one by one: so many for each worker let the others take over from one whose
  /// core is taken away, and cost less than a microsecond each.
  private static final int TASKS_PER_WORKER = 8;

  private Split() {}

  /// A task of consecutive items.
  @FunctionalInterface
  public interface Range {
    /// @param begin its first item
    /// @param end the first item behind it
    /// @param worker who runs it, as in [dev.quern.data.Task]
    void run(long begin, long end, int worker);
  }

  /// Runs all items: in one task where there is one worker.
  public static void run(long items, Workers workers, Range range) {
    run(items, 1, workers, range);
  }

  /// Runs all items in tasks of at least so many: none is smaller, so that little work stays with
  /// the caller.
  public static void run(long items, long least, Workers workers, Range range) {
    int tasks = (int) Math.clamp(items / least, 1L, most(items, workers));
    workers.run(
        tasks,
        (task, worker) -> range.run(items * task / tasks, items * (task + 1) / tasks, worker));
  }

  /// How many tasks, at most.
  private static long most(long items, Workers workers) {
    int parallelism = workers.parallelism();
    return Math.min(items, parallelism == 1 ? 1L : (long) TASKS_PER_WORKER * parallelism);
  }

  /// Rounded up to whole lines.
  public static long align(long bytes) {
    return bytes + LINE - 1 & -LINE;
  }
}

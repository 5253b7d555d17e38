package dev.quern.provider.scalar;

import dev.quern.data.Workers;

/// Cuts a number of equal items into tasks of consecutive items.
final class Split {
  private Split() {}

  /// Several tasks for each worker, so that a slow one doesn't hold up the rest; one task where
  /// there is one worker.
  static int tasks(long items, Workers workers) {
    int parallelism = workers.parallelism();
    return (int) Math.min(items, parallelism == 1 ? 1 : 4L * parallelism);
  }

  /// The first item of a task; where task is tasks, the end of all items.
  static long begin(long items, int task, int tasks) {
    return items * task / tasks;
  }
}

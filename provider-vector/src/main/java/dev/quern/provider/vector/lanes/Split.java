package dev.quern.provider.vector;

import dev.quern.data.Workers;

/// Cuts a number of equal items into tasks of consecutive items, and scratch into lines.
final class Split {
  /// Bytes of a cache line: no two workers write to the same one.
  static final int LINE = 64;

  /// Tasks are claimed one by one: so many for each worker let the others take over from one whose
  /// core is taken away, and cost less than a microsecond each.
  private static final int TASKS_PER_WORKER = 8;

  private Split() {}

  /// How many tasks: one where there is one worker.
  static int tasks(long items, Workers workers) {
    int parallelism = workers.parallelism();
    return (int) Math.min(items, parallelism == 1 ? 1L : (long) TASKS_PER_WORKER * parallelism);
  }

  /// How many tasks of at least so many items: none is smaller, so that little work stays with the
  /// caller.
  static int tasks(long items, long least, Workers workers) {
    return (int) Math.clamp(items / least, 1L, tasks(items, workers));
  }

  /// The first item of a task; where task is tasks, the end of all items.
  static long begin(long items, int task, int tasks) {
    return items * task / tasks;
  }

  /// Rounded up to whole lines.
  static long align(long bytes) {
    return bytes + LINE - 1 & -LINE;
  }
}

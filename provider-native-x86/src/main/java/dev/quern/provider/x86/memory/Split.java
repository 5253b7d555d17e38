package dev.quern.provider.x86.memory;

import dev.quern.data.Workers;

/// Cuts a number of equal items into tasks of consecutive items, and scratch into lines.
public final class Split {
  /// Bytes of a cache line: no two workers write to the same one.
  public static final int LINE = 64;

  private Split() {}

  /// How many tasks, so many for each worker: tasks are claimed one by one, and others take over
  /// from a worker whose core is taken away. One where there is one worker.
  public static int tasks(long items, int tasksPerWorker, Workers workers) {
    int parallelism = workers.parallelism();
    return (int) Math.min(items, parallelism == 1 ? 1L : (long) tasksPerWorker * parallelism);
  }

  /// The first item of a task; where task is tasks, the end of all items.
  public static long begin(long items, int task, int tasks) {
    return items * task / tasks;
  }

  /// Rounded up to whole lines.
  public static long align(long bytes) {
    return bytes + LINE - 1 & -LINE;
  }
}

package dev.quern.data;

/// The caller's threads. A provider owns the split of the work and never a thread.
///
/// @since 0.1
/// @stability contract
public interface Workers {
  /// The number of tasks that may run at the same moment, at least 1.
  int parallelism();

  /// Runs `body` for every task number below `tasks`, in any order, and returns when all have
  /// ended. The calling thread takes part. What the tasks wrote is visible to the caller, and to
  /// the tasks of later runs. A call from inside a task is an error: runs do not nest.
  ///
  /// The first failure of a task is rethrown when all running tasks have ended; tasks that have not
  /// begun then are not run.
  ///
  /// @throws IllegalArgumentException if `tasks` is negative
  void run(int tasks, Task body);

  /// The calling thread alone.
  static Workers sequential() {
    return SequentialWorkers.INSTANCE;
  }
}

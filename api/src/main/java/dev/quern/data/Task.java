package dev.quern.data;

/// A unit of work that [Workers] run.
///
/// @since 0.1
/// @stability contract
@FunctionalInterface
public interface Task {
  /// Runs one task.
  ///
  /// @param task the task's number, `0 <= task < tasks`
  /// @param worker the worker's number, `0 <= worker < parallelism`, unique among the tasks that
  ///   run at the same moment: the key to per-worker scratch
  void run(int task, int worker);
}

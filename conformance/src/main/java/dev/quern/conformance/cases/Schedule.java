package dev.quern.conformance.cases;

import java.util.Locale;

/// Who runs the tasks of a call, and in which order.
///
/// @param workers parallelism
/// @param order the order of the tasks
public record Schedule(int workers, Order order) {
  /// The order in which tasks run.
  public enum Order {
    /// 0, 1, 2, ... on one thread.
    SEQUENTIAL,
    /// ..., 2, 1, 0 on one thread, with worker numbers from the last to the first.
    REVERSED,
    /// Any order on one thread, with any worker numbers.
    SHUFFLED,
    /// 1, 3, 5, ..., then 0, 2, 4, ..., on one thread and all as the last worker.
    ODD_FIRST,
    /// 0, 1, 2, ... on one thread and all as one worker, another one in each run.
    ONE_WORKER,
    /// 0, 1, 2, ... on one thread, with one worker that never comes.
    ONE_ABSENT,
    /// 0, last, 1, last - 1, ... on one thread, two workers by turns.
    BOTH_ENDS,
    /// Each worker a range of tasks on one thread, the last worker and the last range first.
    RANGES,
    /// 0, 1, 2, ... on one thread, each as the worker after the one before, from run to run.
    GOING_ON,
    /// As many threads as workers.
    THREADS
  }

  /// Workers of a call, at most.
  public static final int MOST_WORKERS = 64;

  /// The calling thread alone.
  public static final Schedule ONE = new Schedule(1, Order.SEQUENTIAL);

  /// The text form: `4/shuffled`.
  @Override
  public String toString() {
    return workers + "/" + order.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /// The schedule that [#toString] wrote.
  ///
  /// @throws IllegalArgumentException if the text is none
  public static Schedule parse(String text) {
    String[] parts = text.split("/", 2);
    if (parts.length != 2) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "schedule '%s', expected workers/order, for example 4/shuffled", text));
    }
    return new Schedule(
        Integer.parseInt(parts[0]),
        Order.valueOf(parts[1].toUpperCase(Locale.ROOT).replace('-', '_')));
  }
}

package dev.quern.provider.kleidi;

/// Cuts a number of equal items into tasks of consecutive items, and memory into lines.
final class Split {
  /// Bytes of a cache line: no two workers write to the same one.
  static final int LINE = 64;

  private Split() {}

  /// The first item of a task; where task is tasks, the end of all items.
  static long begin(long items, int task, int tasks) {
    return items * task / tasks;
  }

  /// Rounded up to whole lines.
  static long align(long bytes) {
    return bytes + LINE - 1 & -LINE;
  }

  static long leastCommonMultiple(long a, long b) {
    long x = a;
    for (long y = b; y != 0; ) {
      long rest = x % y;
      x = y;
      y = rest;
    }
    return a / x * b;
  }
}

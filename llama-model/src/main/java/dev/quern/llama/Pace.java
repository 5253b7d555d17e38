package dev.quern.llama;

/// How many rows of prompts a step may have beside sequences that decode, so that it takes no more
/// than a few times as long as a step without: measured as the engine runs, since it depends on the
/// CPU, on how many decode, and on how long their contexts are. For one thread.
final class Pace {
  /// What rows of prompts may add to a step, in steps without them. (A user reads on at 3.5 times
  /// the usual time between two tokens, and a prompt gets two thirds of the engine.)
  private static final double ADDED = 2.5;

  /// Rows while nothing was measured.
  private static final int FIRST = 8;

  /// Weight of the last step in the means.
  private static final double LAST = 0.25;

  private final int most;
  private double step; // nanoseconds of one in which nothing but decoding was done; 0: unknown
  private double row; // nanoseconds that a row of a prompt adds; 0: unknown

  /// @param most rows of a step
  Pace(int most) {
    this.most = most;
  }

  /// Rows of prompts that the next step may have, at least one.
  int rows() {
    if (step == 0 || row == 0) {
      return Math.min(most, FIRST);
    }
    return (int) Math.clamp(ADDED * step / row, 1, most);
  }

  /// Notes a step in which somebody decoded.
  ///
  /// @param prompts rows of prompts that it had
  void took(int prompts, long nanos) {
    if (prompts == 0) {
      step = mean(step, nanos);
    } else if (step > 0) {
      row = mean(row, Math.max(1, (nanos - step) / prompts));
    }
  }

  private static double mean(double before, double last) {
    return before == 0 ? last : before + LAST * (last - before);
  }
}

package dev.quern.conformance.rules;

import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.judge.Judgement;
import dev.quern.op.Kernel;
import java.util.Locale;
import java.util.stream.IntStream;

/// Rule P10's promise about `scratchBytes`, far beyond what is called: it is only asked for.
final class ScratchBytes {
  /// All small numbers, then both sides of powers of two, and at last batches of a size at which an
  /// `int` of bytes overflows.
  private static final int[] ROWS =
      IntStream.concat(
              IntStream.concat(
                  IntStream.rangeClosed(1, 66),
                  IntStream.rangeClosed(7, 12)
                      .flatMap(i -> IntStream.rangeClosed(-1, 1).map(d -> (1 << i) + d))),
              IntStream.of(1000, 3000, 10_000, 100_000, 1 << 20, 1 << 24))
          .sorted()
          .toArray();

  private static final int[] WORKERS =
      IntStream.concat(
              IntStream.rangeClosed(1, 17),
              IntStream.of(24, 31, 32, 33, 48, 63, 64, 65, 96, 128, 130))
          .toArray();

  /// Pairs of calls of any size, besides.
  private static final int DRAWN = 40;

  private ScratchBytes() {}

  /// It must not be negative, and not shrink when rows or workers grow.
  static void monotone(Kernel kernel, Mix mix, Judgement verdict) {
    for (int r = 0; r < ROWS.length; r++) {
      for (int w = 0; w < WORKERS.length; w++) {
        int fewer = ROWS[Math.max(0, r - 1)];
        compare(kernel, fewer, WORKERS[w], ROWS[r], WORKERS[w], verdict);
        compare(kernel, ROWS[r], WORKERS[Math.max(0, w - 1)], ROWS[r], WORKERS[w], verdict);
      }
    }
    for (int i = 0; i < DRAWN; i++) {
      int rows = 1 + mix.below(1 << 4 + mix.below(10));
      int workers = 1 + mix.below(130);
      int moreRows = rows + mix.below(1 << mix.below(12));
      int moreWorkers = workers + mix.below(4);
      compare(kernel, rows, workers, moreRows, moreWorkers, verdict);
    }
  }

  private static void compare(
      Kernel kernel, int rows, int workers, int moreRows, int moreWorkers, Judgement verdict) {
    long least = Math.max(0, kernel.scratchBytes(rows, workers));
    long bytes = kernel.scratchBytes(moreRows, moreWorkers);
    if (bytes < least) {
      verdict.fail(
          String.format(Locale.ROOT, "scratchBytes(%d, %d)", moreRows, moreWorkers),
          String.format(Locale.ROOT, "at least %d, as for (%d, %d)", least, rows, workers),
          Long.toString(bytes));
    }
  }
}

package dev.quern.llama;

import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;

/// What handing work to the pool costs: the median time of a run of two empty tasks, after pauses
/// like those between operators. A program and not a test, since times are no assertions;
/// docs/measurements.md has the command and figures.
final class WorkerPoolTiming {
  private static final int RUNS = 2_000;

  private WorkerPoolTiming() {}

  public static void main(String[] args) {
    int threads = args.length > 0 ? Integer.parseInt(args[0]) : 2;
    System.out.println("spins  pause us  median us  p95 us  share run by others %");
    for (int spins : new int[] {0, 100, 500, 2_000, 10_000}) {
      for (int pauseMicros : new int[] {0, 5, 50, 500}) {
        try (WorkerPool pool = new WorkerPool(threads, spins)) {
          measure(pool, spins, pauseMicros, 200); // warm-up
          System.out.println(measure(pool, spins, pauseMicros, RUNS));
        }
      }
    }
  }

  private static String measure(WorkerPool pool, int spins, int pauseMicros, int runs) {
    double[] micros = new double[runs];
    int[] others = new int[1];
    for (int i = 0; i < runs; i++) {
      pause(pauseMicros);
      long start = System.nanoTime();
      pool.run(
          8,
          (task, worker) -> {
            pause(5);
            if (worker != 0) {
              synchronized (others) {
                others[0]++;
              }
            }
          });
      micros[i] = (System.nanoTime() - start) / 1e3;
    }
    Arrays.sort(micros);
    return String.format(
        Locale.ROOT,
        "%5d %9d %10.1f %7.1f %10.0f",
        spins,
        pauseMicros,
        micros[runs / 2],
        micros[runs * 95 / 100],
        100.0 * others[0] / runs / 8);
  }

  private static void pause(int micros) {
    if (micros >= 500) {
      LockSupport.parkNanos(micros * 1_000L);
      return;
    }
    long end = System.nanoTime() + micros * 1_000L;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }
}

package dev.quern.conformance.rules;

import com.sun.management.ThreadMXBean;
import dev.quern.conformance.Outcome;
import dev.quern.conformance.Target;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.ThreadWorkers;
import dev.quern.data.Workspace;
import dev.quern.spi.Jit;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/// Rule P14: what a call allocates, summed over its workers. C1 and the interpreter allocate what
/// C2 scalar-replaces, so the kernel is called until C2 has compiled it.
///
/// What C2 inlines into a kernel depends on everything that the process has run before, and this
/// suite runs everything. With `-Dquern.conformance.allocation=report` a kernel that allocates is a
/// skip that says how much, and not a failure.
record AllocationRule<C extends Record & Case>(OperatorSuite<C> suite) {
  private static final int LIMIT_BYTES = 512;
  private static final int BATCH = 250;

  /// A kernel that still allocates after both of these is taken to allocate: C2 compiles in the
  /// background, so neither calls nor time alone are enough. The time is that of the workers'
  /// threads: where cores are scarce, C2 gets as little of them as they do.
  private static final int MIN_CALLS = 30_000;

  private static final Duration MIN_TIME = Duration.ofSeconds(10);

  private static final String SETTING = "quern.conformance.allocation";

  Outcome check(C c, Target target) {
    if (target.platform().jit() != Jit.C2) {
      return new Outcome.Skip("needs C2, and this JVM runs " + target.platform().jit());
    }
    if (!(ManagementFactory.getThreadMXBean() instanceof ThreadMXBean threads)
        || !threads.isThreadAllocatedMemorySupported()) {
      return new Outcome.Skip("this JVM does not count what threads allocate");
    }
    try (Memory memory = new CanaryMemory();
        ThreadWorkers workers = new ThreadWorkers(2)) {
      Run run = suite.open(c, target, memory);
      Workspace w = run.prepare(workers, Prefill.ZERO);
      long[] ids = workers.threadIds();
      long start = cpuNanos(threads, ids);
      double least = Double.POSITIVE_INFINITY;
      for (int calls = 0;
          calls < MIN_CALLS || cpuNanos(threads, ids) - start < MIN_TIME.toNanos(); ) {
        long before = allocated(threads, ids);
        for (int i = 0; i < BATCH; i++) {
          run.again(w);
        }
        least = Math.min(least, (double) (allocated(threads, ids) - before) / BATCH);
        if (least <= LIMIT_BYTES) {
          return new Outcome.Pass(least / LIMIT_BYTES);
        }
        calls += BATCH;
      }
      if (System.getProperty(SETTING, "").equals("report")) {
        return new Outcome.Skip(
            "allocates %.0f bytes a call in this process, expected at most %d; reported only, as -D%s=report says"
                .formatted(least, LIMIT_BYTES, SETTING));
      }
      return new Outcome.Fail(
          "each call",
          "at most " + LIMIT_BYTES + " bytes of Java heap",
          "%.0f bytes".formatted(least),
          LIMIT_BYTES + " bytes",
          least / LIMIT_BYTES);
    }
  }

  private static long cpuNanos(ThreadMXBean threads, long[] ids) {
    return sum(threads.getThreadCpuTime(ids));
  }

  private static long allocated(ThreadMXBean threads, long[] ids) {
    return sum(threads.getThreadAllocatedBytes(ids));
  }

  private static long sum(long[] values) {
    long sum = 0;
    for (long value : values) {
      sum += value;
    }
    return sum;
  }
}

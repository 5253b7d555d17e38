package dev.quern.conformance.rules;

import com.sun.management.ThreadMXBean;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Lenience;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.CanaryMemory;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.Prefill;
import dev.quern.conformance.run.Run;
import dev.quern.conformance.run.ThreadWorkers;
import dev.quern.data.Workspace;
import dev.quern.spi.Jit;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Locale;

/// Rule P14: what a call allocates, summed over its workers. C1 and the interpreter allocate what
/// C2 scalar-replaces, so the kernel is called until C2 has compiled it.
///
/// What C2 inlines into a kernel depends on everything that the process has run before, and this
/// suite runs everything. So a kernel that allocates here is judged by a process that runs nothing
/// but this case, [AllocationProbe]. With `-Dquern.conformance.allocation=report` it is a skip that
/// says how much, and no process is started.
///
/// A call of thousands of columns or positions takes milliseconds, so there it is only asked
/// whether an array of their number is allocated.
record AllocationRule<C extends Record & Case>(OperatorSuite<C> suite) {
  private static final int LIMIT_BYTES = 512;

  /// For large calls, of which there are too few for C2 to compile everything: any array of their
  /// size is larger.
  private static final int LARGE_LIMIT_BYTES = 8192;

  /// Calls between two looks at what was allocated.
  private static final int BATCH = 250;

  private static final int LARGE_BATCH = 5;

  /// How long a kernel may take until it no longer allocates. C2 compiles in the background, so
  /// neither calls nor time alone are enough. The time is that of the workers' threads: where cores
  /// are scarce, C2 gets as little of them as they do.
  record Patience(int calls, Duration time) {
    /// Among other kernels, where a second opinion follows.
    private static final Patience AMONG_OTHERS = new Patience(10_000, Duration.ofSeconds(2));

    /// In a process of its own, whose word is final.
    static final Patience ALONE = new Patience(30_000, Duration.ofSeconds(8));

    /// With calls of milliseconds.
    Patience large() {
      return new Patience(calls / 100, time.dividedBy(2));
    }
  }

  private boolean isLarge(C c) {
    return c.equals(suite.large(c)) || c.equals(StateRules.longRow(c));
  }

  Outcome check(C c, Candidate target) throws Exception {
    boolean reportedOnly = Lenience.allocationIsReportedOnly();
    if (target.platform().jit() != Jit.C2) {
      return new Outcome.Skip("needs C2, and this JVM runs " + target.platform().jit());
    }
    if (!(ManagementFactory.getThreadMXBean() instanceof ThreadMXBean threads)
        || !threads.isThreadAllocatedMemorySupported()) {
      return new Outcome.Skip("this JVM does not count what threads allocate");
    }
    double here = least(c, target, Patience.AMONG_OTHERS);
    int limit = isLarge(c) ? LARGE_LIMIT_BYTES : LIMIT_BYTES;
    if (here <= limit) {
      return new Outcome.Pass(here / limit);
    }
    if (reportedOnly) {
      return new Outcome.Skip(
          String.format(
              Locale.ROOT,
              "allocates %.0f bytes a call in this process, expected at most %d; reported only, as -Dquern.conformance.allocation=report says",
              here,
              limit));
    }
    return switch (AllocationProbe.run(target.provider(), suite.getClass(), CaseText.write(c))) {
      case AllocationProbe.Answer.Bytes(double alone) when alone <= limit ->
          new Outcome.Pass(alone / limit);
      case AllocationProbe.Answer.Bytes(double alone) ->
          fail(
              String.format(
                  Locale.ROOT, "%.0f bytes, and %.0f in a process of its own", here, alone),
              alone,
              limit);
      case AllocationProbe.Answer.None(String reason) ->
          fail(
              String.format(Locale.ROOT, "%.0f bytes, and no process of its own: %s", here, reason),
              here,
              limit);
    };
  }

  private static Outcome fail(String actual, double bytes, int limit) {
    return new Outcome.Fail(
        "each call",
        "at most " + limit + " bytes of Java heap",
        actual,
        limit + " bytes",
        bytes / limit);
  }

  /// The bytes a call in the batch of calls that allocated least.
  double least(C c, Candidate target, Patience patience) throws Exception {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Memory memory = new CanaryMemory();
        ThreadWorkers workers = new ThreadWorkers(2)) {
      Run run = suite.open(c, target, memory);
      Workspace w = run.prepare(workers, Prefill.ZERO);
      long[] ids = workers.threadIds();
      Patience mine = isLarge(c) ? patience.large() : patience;
      int limit = isLarge(c) ? LARGE_LIMIT_BYTES : LIMIT_BYTES;
      int batch = isLarge(c) ? LARGE_BATCH : BATCH;
      long end = cpuNanos(threads, ids) + mine.time().toNanos();
      double least = Double.POSITIVE_INFINITY;
      for (int calls = 0;
          least > limit && (calls < mine.calls() || cpuNanos(threads, ids) < end);
          calls += batch) {
        long before = allocated(threads, ids);
        for (int i = 0; i < batch; i++) {
          run.again(w);
        }
        least = Math.min(least, (double) (allocated(threads, ids) - before) / batch);
      }
      return least;
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

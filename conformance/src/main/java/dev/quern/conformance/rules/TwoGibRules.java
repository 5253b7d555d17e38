package dev.quern.conformance.rules;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import com.sun.management.OperatingSystemMXBean;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.run.GuardPages;
import dev.quern.conformance.run.Memory;
import dev.quern.conformance.run.TestWorkers;
import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.Kernel;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.Optional;

/// Rule P5 where offsets no longer fit an `int`: matrices of weights of more than 2 GiB, as output
/// layers of large models are in BF16, and planes of a cache.
///
/// Nearly all of such an operand is memory that was never written to: it reads as zeros, and takes
/// none. Numbers stand at its start and beyond 2 GiB, and they are the whole of the ordinary case
/// that is the check's: its run judges the result.
public final class TwoGibRules {
  /// 2 GiB.
  public static final long TWO_GIB = 1L << 31;

  /// What a provider that copies the weights needs, and the machine besides.
  private static final long MEMORY_BYTES = 3 * TWO_GIB;

  private TwoGibRules() {}

  /// The rule, where memory suffices.
  public static <C> Rule<C> rule(Rule.Check<C> check) {
    Rule.Check<C> whereItFits =
        (c, target) -> {
          Optional<String> reason = leftOut(target);
          return reason.isPresent() ? new Outcome.Skip(reason.get()) : check.check(c, target);
        };
    return Rule.of("P5", "beyond_2_gib", whereItFits).effort(Rule.Effort.ONE_HUGE_CASE);
  }

  private static Optional<String> leftOut(Candidate target) {
    if (!GuardPages.supported(target.platform().os())) {
      return Optional.of("memory that takes none until it is written to needs Linux or macOS");
    }
    long bytes =
        ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
    return bytes >= MEMORY_BYTES
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "needs %d MB of memory, and there are %d",
                MEMORY_BYTES >> 20,
                bytes >> 20));
  }

  /// Copies bytes.
  public static void copy(MemorySegment from, long at, MemorySegment to, long first, long bytes) {
    MemorySegment.copy(from, at, to, first, bytes);
  }

  /// A matrix of one row.
  public static F32Matrix matrix(Memory memory, float[] row) {
    MemorySegment data = memory.allocate("a matrix", (long) Float.BYTES * row.length, 64);
    MemorySegment.copy(row, 0, data, JAVA_FLOAT, 0, row.length);
    return new F32Matrix(data, 1, row.length);
  }

  /// A workspace for a call of one row.
  public static Workspace workspace(Kernel kernel, Memory memory, TestWorkers workers) {
    long bytes = kernel.scratchBytes(1, workers.parallelism());
    return new Workspace(memory.allocate("scratch", bytes, Workspace.SCRATCH_ALIGNMENT), workers);
  }
}

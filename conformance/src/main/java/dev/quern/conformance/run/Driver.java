package dev.quern.conformance.run;

import dev.quern.conformance.cases.Schedule;
import dev.quern.conformance.judge.Outcome;
import dev.quern.data.Workspace;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/// Calls kernels until C2 has compiled what they run, and judges results on the way.
///
/// The JVM does not say by which code a method runs, so this goes by the compiler's own thresholds:
/// a method goes from the interpreter to C1 after 200 calls, and to C2 after 5,000 more
/// (`Tier3InvocationThreshold`, `Tier4InvocationThreshold`; fewer where it loops), which are
/// counted in steps of 1,024. With [#MIN_CALLS] each method that runs once a call is past both.
/// Compilation is in the background, so the calls go on until a while passes in which nothing was
/// compiled.
public final class Driver implements AutoCloseable {
  /// Calls after which every method that runs once a call is C2's business.
  public static final int MIN_CALLS = 10_000;

  /// Between two calls whose results are judged.
  private static final int BATCH = 250;

  private static final long QUIET_NANOS = 50_000_000L;

  /// The longest wait for that: elsewhere in the JVM something may go on being compiled.
  private static final long MAX_WAIT_NANOS = 5_000_000_000L;

  private final TestWorkers workers = TestWorkers.of(Schedule.ONE, 1);
  private final CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
  private long calls;

  public Driver() {}

  /// Calls of all drives.
  public long calls() {
    return calls;
  }

  /// Drives a kernel.
  ///
  /// @param minCalls calls at least
  /// @return pass, or the first wrong result
  public Outcome drive(Run run, int minCalls) {
    byte[] right = null; // what was judged last
    Workspace w = run.prepare(workers, Prefill.NAN);
    long compiled = -1; // milliseconds
    long quietSince = 0;
    long enoughSince = 0;
    for (long mine = 0; ; mine += BATCH) {
      long now = System.nanoTime();
      if (compiler.getTotalCompilationTime() != compiled) {
        compiled = compiler.getTotalCompilationTime();
        quietSince = now;
      }
      enoughSince = mine < minCalls ? now : enoughSince;
      if (mine >= minCalls
          && (now - quietSince > QUIET_NANOS || now - enoughSince > MAX_WAIT_NANOS)) {
        return Outcome.pass();
      }
      run.restore(Prefill.NAN);
      run.again(w);
      byte[] result = run.result();
      if (!Arrays.equals(right, result)) {
        if (run.withinBounds(result).outcome() instanceof Outcome.Fail fail) {
          return fail;
        }
        right = result;
      }
      for (int i = 1; i < BATCH; i++) {
        run.again(w);
      }
      calls += BATCH;
    }
  }

  /// Judges one more call.
  public Outcome verify(Run run) {
    calls++;
    return run.withinBounds(run.call(workers, Prefill.NAN)).outcome();
  }

  @Override
  public void close() {
    workers.close();
  }
}

package dev.quern.conformance.run;

import dev.quern.QuernException;
import java.time.Duration;
import java.util.Locale;

/// What was asked of a provider did not end in its time. Who asked goes on without it: the thread
/// that waits is left behind.
public final class NoEndException extends QuernException {
  private static final long serialVersionUID = 1;

  /// @param what what has no end: `the call`
  /// @param limit how long it was waited for
  /// @param stuck the thread that does not come back
  public NoEndException(String what, Duration limit, Thread stuck) {
    super(
        String.format(
            Locale.ROOT,
            "no end of %s after %s%s",
            what,
            limit.toSeconds() > 0 ? limit.toSeconds() + " s" : limit.toMillis() + " ms",
            place(stuck.getStackTrace())));
  }

  /// Where it stands: in the first method that is not of the JDK, or the innermost.
  private static String place(StackTraceElement[] trace) {
    for (StackTraceElement frame : trace) {
      if (!frame.getClassName().matches("(java|jdk|sun)\\..*")) {
        return ", it stands at " + frame;
      }
    }
    return trace.length == 0 ? "" : ", it stands at " + trace[0];
  }
}

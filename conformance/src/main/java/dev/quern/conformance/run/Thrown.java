package dev.quern.conformance.run;

import java.util.Locale;

/// What foreign code threw, as words for a report.
public final class Thrown {
  private Thrown() {}

  /// `threw x.Y: message at a.B.c(B.java:7)`, or `no end of the call after 20 s`.
  public static String text(Throwable e) {
    if (e instanceof NoEndException) {
      return e.getMessage(); // the suite's own
    }
    StackTraceElement[] trace = e.getStackTrace();
    String at = trace.length == 0 ? "" : " at " + trace[0];
    // The suite's own operands need memory too, and who reads this must be able to tell.
    String heap =
        e instanceof OutOfMemoryError
            ? String.format(
                Locale.ROOT,
                " (this JVM has %d MiB of heap)",
                Runtime.getRuntime().maxMemory() >> 20)
            : "";
    return "threw " + words(e) + at + heap + thread(e);
  }

  /// Where the suite gives a call memory of one thread, that thread is its only worker.
  private static String thread(Throwable e) {
    Throwable cause = e;
    for (int depth = 0; depth < 10 && cause != null; depth++) { // causes may go round in circles
      if (cause instanceof WrongThreadException) {
        return " (P13: the calling thread is the only worker, and another touched the call's memory)";
      }
      cause = cause.getCause();
    }
    return "";
  }

  /// A provider's exception is its code as well, and may fail.
  private static String words(Throwable e) {
    try {
      return e.toString();
    } catch (Throwable again) {
      return String.format(
          Locale.ROOT,
          "%s, whose toString() throws %s",
          e.getClass().getName(),
          again.getClass().getName());
    }
  }
}

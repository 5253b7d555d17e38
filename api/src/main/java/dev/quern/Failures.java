package dev.quern;

/// Puts what foreign code threw into a line.
final class Failures {
  private Failures() {}

  /// The throwable and its causes, outermost first.
  ///
  /// @throws VirtualMachineError if it is one, other than a stack overflow: those are not about the
  ///   provider
  static String text(Throwable thrown) {
    if (thrown instanceof VirtualMachineError e && !(thrown instanceof StackOverflowError)) {
      throw e;
    }
    StringBuilder text = new StringBuilder(thrown.toString());
    Throwable cause = thrown.getCause();
    // Causes may form a circle; what is said after a few of them helps nobody.
    for (int depth = 0; cause != null && depth < 4; depth++) {
      text.append(", caused by ").append(cause);
      cause = cause.getCause();
    }
    return text.toString();
  }

  /// What helps against a failure of foreign code.
  static String remedy(Throwable thrown) {
    return thrown instanceof LinkageError
        ? "use a JAR that was built for this version of quern-api, with all that it depends on"
        : "remove the JAR, or get a fixed one from its author";
  }
}

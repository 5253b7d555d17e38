package dev.quern.text;

import java.util.concurrent.TimeoutException;

/// Puts what foreign code threw into a line. Nothing of it is trusted: `toString` and `getMessage`
/// are the provider's code as well.
public final class Failures {
  private static final int CAUSES = 2; // what is said after them helps nobody
  private static final int CHARACTERS = 300; // of each

  private Failures() {}

  /// What a call did instead of returning: `threw x.Y: message, caused by ...`, or `gave no answer
  /// within 10 s`.
  public static String threw(Throwable thrown) {
    return thrown instanceof TimeoutException ? thrown.getMessage() : "threw " + text(thrown);
  }

  /// The throwable and its causes, outermost first.
  public static String text(Throwable thrown) {
    StringBuilder text = new StringBuilder(one(thrown));
    Throwable cause = cause(thrown);
    for (int depth = 0; cause != null && depth < CAUSES; depth++) {
      text.append(", caused by ").append(one(cause));
      cause = cause(cause);
    }
    return text.toString();
  }

  /// What helps against a failure of foreign code.
  public static String remedy(Throwable thrown) {
    return thrown instanceof LinkageError
        ? "use a JAR that was built for this version of quern-api, with all that it depends on"
        : "remove the JAR, or get a fixed one from its author";
  }

  private static String one(Throwable thrown) {
    if (thrown instanceof TimeoutException) {
      return thrown.getMessage();
    }
    String type = OneLine.of(thrown.getClass().getName(), CHARACTERS);
    try {
      String text = thrown.toString();
      return text == null ? type : OneLine.of(text, CHARACTERS);
    } catch (Throwable _) { // its class is all that can be told of it, and is told
      return type + ", whose toString() throws";
    }
  }

  private static Throwable cause(Throwable thrown) {
    try {
      return thrown.getCause();
    } catch (Throwable _) { // a getter that fails has no cause to show
      return null;
    }
  }
}

package dev.quern.conformance.testing;

import java.util.List;
import org.opentest4j.TestAbortedException;

/// Tests that take minutes: a plain build leaves them out with a line, and `-Dquern.full=true` has
/// them.
public final class Full {
  private Full() {}

  /// Whether they are asked for.
  public static boolean asked() {
    return Boolean.getBoolean("quern.full");
  }

  /// Ends a test where they are not.
  ///
  /// @param what is left out, for the line
  public static void orLeaveOut(Class<?> test, String what) {
    if (!asked()) {
      throw new TestAbortedException(say(test, what));
    }
  }

  /// All of a test's cases, or some where these are not asked for.
  ///
  /// @param some of all, one of each kind
  public static <T> List<T> or(Class<?> test, List<T> all, List<T> some) {
    if (asked()) {
      return all;
    }
    say(test, (all.size() - some.size()) + " of " + all.size() + " cases");
    return some;
  }

  private static String say(Class<?> test, String what) {
    String message =
        test.getSimpleName()
            + ": left out, "
            + what
            + ". To have it: ./build verify -Dquern.full=true";
    System.out.println("[quern] " + message);
    return message;
  }
}

package dev.quern.packaging;

import org.junit.jupiter.api.Assertions;
import org.opentest4j.TestAbortedException;

/// Tests that a plain build leaves out: never without a line that says so.
final class LeftOut {
  private LeftOut() {}

  /// For tests of minutes: only with `-Dquern.full=true`, as in CI.
  static void unlessFull(Class<?> test) {
    if (!Boolean.getBoolean("quern.full")) {
      leaveOut(test, "takes minutes. To have it: ./build verify -Dquern.full=true");
    }
  }

  /// For what the machine lacks; with `-Dquern.full=true` it must be there.
  static void lacking(Class<?> test, String what) {
    if (Boolean.getBoolean("quern.full")) {
      Assertions.fail("-Dquern.full=true asks for this test, and it can't run: " + what);
    }
    leaveOut(test, what);
  }

  /// For what need not be there.
  static void leaveOut(Class<?> test, String why) {
    String message = test.getSimpleName() + ": left out, " + why;
    System.out.println("[quern] " + message);
    throw new TestAbortedException(message);
  }
}

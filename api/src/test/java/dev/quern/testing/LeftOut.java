package dev.quern.testing;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.opentest4j.TestAbortedException;

/// Tests that are left out: never without a line that says which, why, and how to have them.
public final class LeftOut {
  private LeftOut() {}

  /// The tests that a build runs beyond a plain one's.
  public enum Asked {
    /// Those that take minutes.
    FULL("quern.full"),
    /// Those that try again, in another way, what others try.
    EXHAUSTIVE("quern.exhaustive"),
    /// Those that need a program which not every machine has.
    TOOLS("quern.tools.required");

    private final String property;

    Asked(String property) {
      this.property = property;
    }

    /// Whether the property is `true`.
    public boolean yes() {
      return Boolean.getBoolean(property);
    }

    private String toHave(String what) {
      return what + ". To have it: ./build verify -D" + property + "=true";
    }
  }

  /// Ends a test of minutes where these are not asked for.
  ///
  /// @param what it is, for the line
  public static void unlessFull(Class<?> test, String what) {
    if (!Asked.FULL.yes()) {
      throw ended(test, Asked.FULL.toHave(what));
    }
  }

  /// Whether the tests of minutes are asked for; where they are not, says what is left out.
  public static boolean full(Class<?> test, String what) {
    if (!Asked.FULL.yes()) {
      say(test, Asked.FULL.toHave(what));
    }
    return Asked.FULL.yes();
  }

  /// All of a test's cases, or some where the others are not asked for.
  ///
  /// @param what they are, for the line
  /// @param some of all
  public static <T> List<T> some(
      Class<?> test, Asked asked, String what, List<T> all, List<T> some) {
    if (asked.yes() || some.size() == all.size()) {
      return all;
    }
    say(test, asked.toHave((all.size() - some.size()) + " of " + all.size() + " " + what));
    return some;
  }

  /// Ends a test that the machine can't run; where its tools are required, it fails.
  ///
  /// @param what is absent, and what to install
  public static void lacking(Class<?> test, String what) {
    if (Asked.TOOLS.yes()) {
      Assertions.fail(
          "-D"
              + Asked.TOOLS.property
              + "=true asks for "
              + test.getSimpleName()
              + ", and it can't run: "
              + what);
    }
    throw ended(test, what);
  }

  /// [#lacking] where a program is not on PATH.
  public static void unlessInstalled(Class<?> test, String program) {
    for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
      if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, program))) {
        return;
      }
    }
    lacking(test, program + " is not installed");
  }

  /// Says that a test is left out, and why.
  ///
  /// @return what ends it
  public static TestAbortedException ended(Class<?> test, String why) {
    return new TestAbortedException(say(test, why));
  }

  /// Says that a part of a test is left out, and why.
  ///
  /// @return the line
  public static String say(Class<?> test, String why) {
    String line = test.getSimpleName() + ": left out, " + why;
    System.out.println("[quern] " + line);
    return line;
  }
}

package dev.quern.testing;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;
import org.opentest4j.TestAbortedException;

/// Files that tests use where they are present: reference models that are no part of the project.
/// They are looked for below the folder named by the system property `quern.shared`;
/// docs/testing.md says what they are and where to get them.
///
/// No check vanishes quietly: where a file is absent, the test fails if `quern.shared.required` is
/// `true` (as in CI); otherwise it is aborted, and what was left out is printed.
public final class SharedFiles {
  private SharedFiles() {}

  /// The file at a path below the shared folder, for example `models/tiny1-F16.gguf`.
  ///
  /// @throws TestAbortedException where it is absent and not required
  public static Path file(String path) {
    Path file =
        Path.of(System.getProperty("quern.shared", "")).resolve(path).toAbsolutePath().normalize();
    if (Files.exists(file)) {
      return file;
    }
    String message =
        "left out, since %s is absent (looked for %s; docs/testing.md, Reference files)"
            .formatted(path, file);
    if (Boolean.getBoolean("quern.shared.required")) {
      Assertions.fail(message);
    }
    System.out.println("[quern] " + callingTest() + ": " + message);
    throw new TestAbortedException(message);
  }

  private static String callingTest() {
    return StackWalker.getInstance()
        .walk(frames -> frames.skip(2).findFirst())
        .map(f -> f.getClassName() + "." + f.getMethodName())
        .orElse("a test");
  }
}

package dev.quern.release;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;
import org.opentest4j.TestAbortedException;

/// Programs that tests need and not every machine has; with `-Dquern.full=true` they must be there.
final class Tools {
  private Tools() {}

  static void need(Class<?> test, String tool) {
    for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
      if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, tool))) {
        return;
      }
    }
    String message = test.getSimpleName() + ": left out, " + tool + " is not installed";
    if (Boolean.getBoolean("quern.full")) {
      Assertions.fail("-Dquern.full=true asks for this test, and it can't run: " + message);
    }
    System.out.println("[quern] " + message);
    throw new TestAbortedException(message);
  }
}

package dev.quern.packaging;

import dev.quern.testing.LeftOut;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The user's Gradle, where there is one that knows Java 25.
final class Gradle {
  private static final int OLDEST = 9;

  private Gradle() {}

  /// The `gradle` on the path. A test is left out where there is none, or an older one: no
  /// repository of Maven's has it, so a build can't bring its own.
  static Path onPath(Class<?> test) throws IOException {
    Path gradle =
        Stream.of(System.getenv("PATH").split(File.pathSeparator))
            .map(folder -> Path.of(folder, "gradle"))
            .filter(Files::isExecutable)
            .findFirst()
            .orElse(null);
    if (gradle == null) {
      throw LeftOut.ended(test, "there is no gradle on PATH; " + OLDEST + " or newer is wanted");
    }
    String version = Command.run(Path.of("."), List.of(gradle.toString(), "--version")).out();
    Matcher major = Pattern.compile("Gradle (\\d+)").matcher(version);
    if (!major.find() || Integer.parseInt(major.group(1)) < OLDEST) {
      throw LeftOut.ended(test, gradle + " is older than " + OLDEST + ", which knows no Java 25");
    }
    return gradle;
  }
}

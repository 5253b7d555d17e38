package dev.quern.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// What holds for every source file and no tool of the build looks at.
class SourcesTest {
  private static final Path HOME =
      Path.of(System.getProperty("quern.home")).toAbsolutePath().normalize();
  private static final int LINES = 400;

  /// A class that does not fit is two.
  @Test
  void noFileOfTheProductIsLong() throws IOException {
    List<String> tooLong = new ArrayList<>();
    int files = 0;
    for (Path file : sources()) {
      int lines = Files.readAllLines(file).size();
      if (lines > LINES) {
        tooLong.add(String.format(Locale.ROOT, "%s has %d", HOME.relativize(file), lines));
      }
      files++;
    }
    assertTrue(files > 400, files + " files");
    assertEquals(List.of(), tooLong, "files of more than " + LINES + " lines");
  }

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    try (Stream<Path> modules = Files.list(HOME)) {
      for (Path main :
          modules.map(m -> m.resolve("src/main/java")).filter(Files::isDirectory).toList()) {
        try (Stream<Path> files = Files.walk(main)) {
          sources.addAll(files.filter(f -> f.toString().endsWith(".java")).toList());
        }
      }
    }
    return sources;
  }
}

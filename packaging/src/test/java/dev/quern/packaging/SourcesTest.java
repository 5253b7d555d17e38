package dev.quern.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

  private static final Pattern EXPORT = Pattern.compile("(?m)^  exports ([\\w.]+);");
  private static final Pattern PUBLIC_TYPE =
      Pattern.compile("(?m)^public (?:\\w+(?:-\\w+)? )*(?:class|interface|record|enum) ");
  private static final Pattern STABILITY =
      Pattern.compile("(?m)^/// @since \\d+\\.\\d+\\n/// @stability (?:contract|api)$");

  /// What the words mean is in SPEC.md, Versioning.
  @Test
  void everyPublicTypeSaysSinceWhenAndHowStable() throws IOException {
    List<String> silent = new ArrayList<>();
    int types = 0;
    for (Path module : modules()) {
      Path info = module.resolve("src/main/java/module-info.java");
      Matcher export = EXPORT.matcher(Files.exists(info) ? Files.readString(info) : "");
      while (export.find()) {
        Path folder = info.resolveSibling(export.group(1).replace('.', '/'));
        try (Stream<Path> files = Files.list(folder)) {
          for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
            String source = Files.readString(file);
            if (PUBLIC_TYPE.matcher(source).find()) {
              types++;
              if (!STABILITY.matcher(source).find()) {
                silent.add(HOME.relativize(file).toString());
              }
            }
          }
        }
      }
    }
    assertTrue(types > 100, types + " types");
    assertEquals(List.of(), silent, "public types without @since and @stability");
  }

  private static List<Path> modules() throws IOException {
    try (Stream<Path> modules = Files.list(HOME);
        Stream<Path> integrations = Files.list(HOME.resolve("integrations"))) {
      return Stream.concat(modules, integrations)
          .filter(m -> Files.isDirectory(m.resolve("src/main/java")))
          .toList();
    }
  }

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    for (Path module : modules()) {
      try (Stream<Path> files = Files.walk(module.resolve("src/main/java"))) {
        sources.addAll(files.filter(f -> f.toString().endsWith(".java")).toList());
      }
    }
    return sources;
  }
}

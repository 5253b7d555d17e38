package dev.quern.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.spi.ToolProvider;

/// A module of a few types, compiled and put where a build deploys to.
final class SmallLibrary {
  static final String POINT =
      """
      package toy;

      /// A point.
      ///
      /// @since 1.0
      /// @stability api
      public record Point(int x, int y) {
        public int sum() {
          return x + y;
        }
      }
      """;

  static final String TRIAL =
      """
      package toy;

      /// Tried out.
      ///
      /// @since 1.0
      /// @stability experimental
      public interface Trial {
        int value();
      }
      """;

  static final String INSIDE =
      """
      package toy.inside;

      public class Inside {
        public void call() {}
      }
      """;

  private SmallLibrary() {}

  /// Its sources, in a checkout.
  static void write(Path checkout, Map<String, String> types) throws IOException {
    Path sources = checkout.resolve("toy/src/main/java");
    Files.createDirectories(sources.resolve("toy/inside"));
    Files.writeString(sources.resolve("module-info.java"), "module toy {\n  exports toy;\n}\n");
    for (Map.Entry<String, String> type : types.entrySet()) {
      Files.writeString(sources.resolve(type.getKey() + ".java"), type.getValue());
    }
  }

  static Map<String, String> types() {
    return Map.of("toy/Point", POINT, "toy/Trial", TRIAL, "toy/inside/Inside", INSIDE);
  }

  /// What a build of a checkout deploys.
  static Path deploy(Path checkout, Path to, String version) throws IOException {
    Path classes = Files.createDirectories(to.resolve("classes"));
    List<String> words = new ArrayList<>(List.of("-d", classes.toString()));
    try (var walk = Files.walk(checkout.resolve("toy/src/main/java"))) {
      walk.filter(f -> f.toString().endsWith(".java")).forEach(f -> words.add(f.toString()));
    }
    run("javac", words);
    Path jar =
        Files.createDirectories(to.resolve("jars/dev/quern/quern-toy").resolve(version))
            .resolve("quern-toy-" + version + ".jar");
    run("jar", List.of("-c", "-f", jar.toString(), "-C", classes.toString(), "."));
    return to.resolve("jars");
  }

  private static void run(String tool, List<String> words) {
    int code =
        ToolProvider.findFirst(tool)
            .orElseThrow()
            .run(System.out, System.err, words.toArray(String[]::new));
    if (code != 0) {
      throw new IllegalArgumentException(tool + " " + words + " ends with code " + code);
    }
  }
}

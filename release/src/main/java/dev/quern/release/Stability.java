package dev.quern.release;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What top-level types promise, by their names: the word behind `@stability` (api/SPEC.md,
/// Versioning).
record Stability(Map<String, String> words) {
  /// What has another word, such as `experimental`, may change at any time.
  private static final Set<String> KEPT = Set.of("contract", "api");

  private static final Pattern WORD = Pattern.compile("(?m)^/// @stability (\\w+)$");
  private static final String FOLDER = "/src/main/java/";

  /// @param checkout the sources of one version
  static Stability in(Path checkout) throws IOException {
    Map<String, String> words = new HashMap<>();
    List<Path> files;
    try (var walk = Files.walk(checkout)) {
      files = walk.filter(f -> f.toString().endsWith(".java") && Files.isRegularFile(f)).toList();
    }
    for (Path file : files) {
      String name = file.toString().replace('\\', '/');
      int at = name.indexOf(FOLDER);
      Matcher word = at < 0 ? null : WORD.matcher(Files.readString(file));
      if (word != null && word.find()) {
        String type = name.substring(at + FOLDER.length(), name.length() - ".java".length());
        words.put(type.replace('/', '.'), word.group(1));
      }
    }
    return new Stability(words);
  }

  /// Whether a type must stay as it is; so must one that says nothing.
  boolean keeps(String type) {
    return KEPT.contains(words.getOrDefault(type.split("\\$")[0], "api"));
  }
}

package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The author's guide, followed to the letter: what its reader has in a folder that was empty.
public final class Guide {
  private static final Path HOME =
      Path.of(System.getProperty("quern.home", "..")).toAbsolutePath().normalize();
  private static final Path PAGE = HOME.resolve("docs/provider-guide.md");

  /// The line above a block says what becomes of it: a new file, or a part of one.
  private static final Pattern BLOCK =
      Pattern.compile(
          "^(?:To )?`(?<file>[^`\\n]+)`(?<where>|, imports|, before its last brace|, at its end):\\n\\n```\\w+\\n(?<text>.*?)^```$",
          Pattern.MULTILINE | Pattern.DOTALL);

  private Guide() {}

  static String page() throws IOException {
    return Files.readString(PAGE);
  }

  /// The whole guide's files by path.
  public static Map<String, String> files() throws IOException {
    return files(page());
  }

  /// The files of a section of the guide, from its beginning on.
  static Map<String, String> files(String page) {
    Map<String, String> files = new TreeMap<>();
    Matcher m = BLOCK.matcher(page);
    while (m.find()) {
      String file = m.group("file");
      String text = m.group("text");
      String before = files.get(file);
      if (!m.group("where").isEmpty()) {
        assertNotNull(before, () -> file + " is added to before it is there");
      }
      files.put(
          file,
          switch (m.group("where")) {
            case ", imports" -> withImports(before, text);
            case ", before its last brace" ->
                before.substring(0, before.lastIndexOf('}')) + "\n" + text + "}\n";
            case ", at its end" -> before + text;
            default -> {
              assertEquals(null, before, () -> file + " is written twice");
              yield text;
            }
          });
    }
    return files;
  }

  /// As an editor puts them in: in their order.
  private static String withImports(String file, String imports) {
    List<String> lines = file.lines().toList();
    int first = lines.indexOf(lines.stream().filter(Guide::isImport).findFirst().orElseThrow());
    int count = (int) lines.stream().filter(Guide::isImport).count();
    assertTrue(
        lines.subList(first, first + count).stream().allMatch(Guide::isImport),
        "imports lie together");
    List<String> sorted =
        Stream.concat(lines.subList(first, first + count).stream(), imports.lines())
            .sorted()
            .toList();
    StringBuilder text = new StringBuilder();
    lines.subList(0, first).forEach(l -> text.append(l).append('\n'));
    sorted.forEach(l -> text.append(l).append('\n'));
    lines.subList(first + count, lines.size()).forEach(l -> text.append(l).append('\n'));
    return text.toString();
  }

  private static boolean isImport(String line) {
    return line.startsWith("import ");
  }

  /// Writes them.
  public static void write(Map<String, String> files, Path folder) throws IOException {
    for (var file : files.entrySet()) {
      Path path = folder.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.getValue());
    }
  }
}

package dev.quern.packaging;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The fenced blocks of a page of Markdown, so that a test uses what users read.
///
/// A block whose fence names a file behind its language (```` ```xml pom.xml ````) is that file; a
/// block `sh` holds commands, one a line.
///
/// @param blocks in the page's order
record Page(List<Block> blocks) {
  /// @param heading the nearest heading above
  /// @param language the fence's first word
  /// @param name the fence's second word; empty where there is none
  record Block(String heading, String language, String name, String text) {}

  static Page of(Path file) {
    List<Block> blocks = new ArrayList<>();
    String heading = "";
    String[] fence = null;
    StringBuilder text = new StringBuilder();
    for (String line : lines(file)) {
      if (fence == null && line.startsWith("#")) {
        heading = line.replaceFirst("#+ *", "");
      } else if (fence == null && line.startsWith("```")) {
        fence = (line.substring(3).strip() + " ").split(" ", 3);
        text.setLength(0);
      } else if (fence != null && line.equals("```")) {
        blocks.add(new Block(heading, fence[0], fence[1], text.toString()));
        fence = null;
      } else {
        text.append(line).append('\n');
      }
    }
    return new Page(List.copyOf(blocks));
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The text of the one file of that name, which several blocks may not define.
  String file(String name) {
    List<String> texts =
        blocks.stream().filter(b -> b.name().equals(name)).map(Block::text).toList();
    if (texts.size() != 1) {
      throw new IllegalStateException(texts.size() + " blocks are named " + name + ", expected 1");
    }
    return texts.getFirst();
  }

  /// The commands below a heading.
  List<String> commands(String heading) {
    List<String> commands =
        blocks.stream()
            .filter(b -> b.heading().equals(heading) && b.language().equals("sh"))
            .flatMap(b -> b.text().lines())
            .toList();
    if (commands.isEmpty()) {
      throw new IllegalStateException("no commands below the heading " + heading);
    }
    return commands;
  }

  /// Writes the file of a path's name into a folder, at that path.
  void write(Path folder, String path) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, file(path));
  }
}

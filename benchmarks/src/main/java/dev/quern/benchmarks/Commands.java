package dev.quern.benchmarks;

import java.util.ArrayList;
import java.util.List;

/// Command lines.
final class Commands {
  private Commands() {}

  static List<String> with(List<String> command, String... more) {
    List<String> all = new ArrayList<>(command);
    all.addAll(List.of(more));
    return all;
  }

  /// For people: words that a shell would split are quoted.
  static String text(List<String> command) {
    return String.join(
        " ",
        command.stream()
            .map(w -> w.matches("[\\w@%+=:,./-]+") ? w : "'" + w.replace("'", "'\\''") + "'")
            .toList());
  }
}

package dev.quern.conformance.hostile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Rows of Markdown tables that say what became of providers: the id first, and last the columns
/// `now | check | on | tries | seconds`.
final class DeathTable {
  private static final int COLUMNS_OF_A_DEATH = 5;

  private DeathTable() {}

  /// All deaths that a file lists, by id; none if there is no file yet.
  static Map<String, Death> read(Path file) throws IOException {
    Map<String, Death> deaths = new LinkedHashMap<>();
    if (!Files.exists(file)) {
      return deaths;
    }
    for (String line : Files.readAllLines(file)) {
      if (line.startsWith("| `")) {
        List<String> cells =
            Arrays.asList(line.substring(2, line.length() - 2).split(" *\\| ", -1));
        String id = cells.getFirst().replace("`", "");
        int at = cells.size() - COLUMNS_OF_A_DEATH;
        deaths.put(
            id,
            new Death(
                id,
                how(cells.get(at)),
                cells.get(at + 1),
                cells.get(at + 2),
                Integer.parseInt(cells.get(at + 3).strip()),
                Double.parseDouble(cells.get(at + 4).strip())));
      }
    }
    return deaths;
  }

  /// A row.
  ///
  /// @param cells what stands between the id and the death
  static String row(Hostile hostile, List<String> cells, Death death) {
    return String.format(
        Locale.ROOT,
        "| `%s` | %s | %s | %s | %s | %d | %.1f |\n",
        hostile.id(),
        String.join(" | ", cells.stream().map(c -> c.replace("|", "\\|")).toList()).strip(),
        word(death.how()),
        death.check(),
        death.subject(),
        death.tries(),
        death.seconds());
  }

  /// A constant's name as people write it.
  static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static Death.How how(String word) {
    return Arrays.stream(Death.How.values())
        .filter(h -> word(h).equals(word))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no such end: '" + word + "'"));
  }
}

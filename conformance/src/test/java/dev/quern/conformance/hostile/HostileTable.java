package dev.quern.conformance.hostile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/// `docs/conformance-hostile.md`: what became of each hostile provider, before the suite was
/// changed for them and since. It is written by [HostileTest], and read by it, which looks first
/// where a provider died last.
final class HostileTable {
  private static final Path FILE = Path.of("..", "docs", "conformance-hostile.md");

  /// Columns of a row, the bars around them left out.
  private static final int ID = 0;

  private static final int HOW = 6;
  private static final int CHECK = 7;
  private static final int SUBJECT = 8;
  private static final int TRIES = 10;
  private static final int SECONDS = 11;

  private HostileTable() {}

  /// What became of them when the table was written, by id.
  static Map<String, Death> read() throws IOException {
    Map<String, Death> deaths = new LinkedHashMap<>();
    if (!Files.exists(FILE)) {
      return deaths;
    }
    for (String line : Files.readAllLines(FILE)) {
      String[] cells = line.replaceFirst("^\\| ", "").split(" *\\| *", -1);
      if (line.startsWith("| `") && cells.length > SECONDS) {
        String id = cells[ID].replace("`", "");
        deaths.put(
            id,
            new Death(
                id,
                how(cells[HOW]),
                cells[CHECK],
                cells[SUBJECT],
                Integer.parseInt(cells[TRIES]),
                Double.parseDouble(cells[SECONDS])));
      }
    }
    return deaths;
  }

  /// Writes it.
  ///
  /// @param before what the old suite said, by id
  /// @param now what the suite says
  /// @param byOwnRule whether the rule that names the fault kills it too, by id
  static void write(
      Map<String, String> before, Map<String, Death> now, Map<String, Boolean> byOwnRule)
      throws IOException {
    List<Hostile> all = Hostiles.all();
    StringBuilder text = new StringBuilder(HEAD);
    text.append("\n| kind | providers | found before | found now | by the rule that names it |\n");
    text.append("|---|---|---|---|---|\n");
    for (Kind kind : Kind.values()) {
      text.append(
          sum(
              word(kind),
              all.stream().filter(h -> h.kind() == kind).toList(),
              before,
              now,
              byOwnRule));
    }
    text.append(sum("all", all, before, now, byOwnRule));
    text.append(COLUMNS);
    for (Hostile h : all) {
      Death death = now.get(h.id());
      text.append(
          String.format(
              Locale.ROOT,
              "| `%s` | %s | %s | %s | %s | %s | %s | %s | %s | %s | %d | %.1f |\n",
              h.id(),
              word(h.kind()),
              h.operator(),
              h.rule(),
              h.sentence().replace("|", "\\|"),
              before.getOrDefault(h.id(), "not run"),
              word(death.how()),
              death.check(),
              death.subject(),
              byOwnRule.getOrDefault(h.id(), false) ? "yes" : "no",
              death.tries(),
              death.seconds()));
    }
    Files.writeString(FILE, text);
  }

  private static String sum(
      String name,
      List<Hostile> some,
      Map<String, String> before,
      Map<String, Death> now,
      Map<String, Boolean> byOwnRule) {
    return String.format(
        Locale.ROOT,
        "| %s | %d | %d | %d | %d |\n",
        name,
        some.size(),
        some.stream()
            .filter(h -> !before.getOrDefault(h.id(), "survives").equals("survives"))
            .count(),
        some.stream().filter(h -> now.get(h.id()).died()).count(),
        some.stream().filter(h -> byOwnRule.getOrDefault(h.id(), false)).count());
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static Death.How how(String word) {
    return Arrays.stream(Death.How.values())
        .filter(h -> word(h).equals(word))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException(FILE + ": '" + word + "'"));
  }

  /// Ids of a kind's providers, for a line on what is left out.
  static String counts(List<Hostile> some) {
    return some.stream()
        .collect(Collectors.groupingBy(h -> word(h.kind()), LinkedHashMap::new, Collectors.counting()))
        .toString();
  }

  private static final String HEAD =
      """
      # Hostile providers

      Two hundred providers, each the scalar one with one fault that real kernels have had: wrong at the size of real models only, keeping what it must not keep, wrong with some workers,
      touching memory that is not its own, or wrong for what the façade allows and callers seldom do. They were written from [SPEC.md](../api/SPEC.md) alone, before the suite was
      changed, by authors who had not read its generators. They are in `conformance/src/test/java/dev/quern/conformance/hostile`; `HostileTest` asserts that each dies in the default
      run (a sample of each kind in every build, all with `-Dquern.full=true`), and wrote this table:
      `./build -pl conformance -am test -Dtest=HostileTest -Dquern.hostile.table=true -Dsurefire.failIfNoSpecifiedTests=false`.

      *before*: what the suite as it was at commit d7dd0db said in its default run (20 tries, seed 1, the provider's operator and the provider's own rules, in full where nothing
      failed): `survives`, or the first test that failed. *now*: what the default settings give today. A check is looked at first where a provider died last, then those of the
      rule that names its fault, then all others; *own rule* says whether a check of that rule kills it, whatever did so first. *tries* are cases of that check on that subject. What reads
      past a guard page *ends the process*, as it would in native code.
      """;

  private static final String COLUMNS =
      """

      | provider | kind | operator | rule | what is wrong | before | now | check | on | own rule | tries | seconds |
      |---|---|---|---|---|---|---|---|---|---|---|---|
      """;
}

package dev.quern.conformance.hostile;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// `docs/conformance-hostile.md`: what became of each hostile provider, before the suite was
/// changed for them and since. It is written by [HostileTest], and read by it, which looks first
/// where a provider died last.
final class HostileTable {
  static final Path FILE = Path.of("..", "docs", "conformance-hostile.md");

  private HostileTable() {}

  /// What became of them when the table was written, by id.
  static Map<String, Death> read() throws IOException {
    return DeathTable.read(FILE);
  }

  /// Writes it.
  ///
  /// @param before what the old suite said, by id
  /// @param now what the suite says
  static void write(Map<String, String> before, Map<String, Death> now) throws IOException {
    List<Hostile> all = Hostiles.all();
    StringBuilder text = new StringBuilder(HEAD);
    text.append("\n| kind | providers | found before | found now |\n");
    text.append("|---|---|---|---|\n");
    for (Kind kind : Kind.values()) {
      text.append(
          sum(
              DeathTable.word(kind),
              all.stream().filter(h -> h.kind() == kind).toList(),
              before,
              now));
    }
    text.append(sum("all", all, before, now));
    text.append(COLUMNS);
    for (Hostile h : all) {
      Death death = now.get(h.id());
      text.append(
          DeathTable.row(
              h,
              List.of(
                  DeathTable.word(h.kind()),
                  h.operator(),
                  h.rule(),
                  h.sentence(),
                  before.getOrDefault(h.id(), "not run")),
              death));
    }
    Files.writeString(FILE, text);
  }

  private static String sum(
      String name, List<Hostile> some, Map<String, String> before, Map<String, Death> now) {
    return String.format(
        Locale.ROOT,
        "| %s | %d | %d | %d |\n",
        name,
        some.size(),
        some.stream()
            .map(h -> before.getOrDefault(h.id(), "survives"))
            .filter(said -> !said.startsWith("survives") && !said.startsWith("hangs"))
            .count(),
        some.stream().filter(h -> now.get(h.id()).died()).count());
  }

  private static final String HEAD =
      """
      # Hostile providers

      Two hundred providers, each the scalar one with one fault that real kernels have had: wrong at the size of real models only, keeping what it
      must not keep, wrong with some workers, touching memory that is not its own, or wrong for what the façade allows and callers seldom do. They
      were written from [SPEC.md](../api/SPEC.md) alone, before the suite was changed, by authors who had not read its generators (the author of
      those of threads had seen what was planned). A dozen of them survived the first version of the new suite, which was then extended by what
      would find their kind; so this table is no score, and [generated mutants](conformance-generated.md) are. They are in
      `conformance/src/test/java/dev/quern/conformance/hostile`; `HostileTest` asserts that each dies in the default run (a sample of each kind in
      every build, all with `-Dquern.exhaustive=true`), and wrote this table:
      `./build -pl conformance -am test -Dtest=HostileTest -Dquern.hostile.table=true -Dsurefire.failIfNoSpecifiedTests=false`.

      *before*: what the suite as it was at commit d7dd0db said in its default run (20 tries, seed 1, the provider's operator and the provider's
      own rules, in full where nothing failed): `survives`, the first test that failed, or that it hung for three minutes, which is no verdict.
      *now*: what the default settings give today. A check is looked at first where a provider died last, then those that were made for its kind,
      then those of the rule that names its fault, then all others. *tries* are cases of that check on that subject. What reads past a guard page
      *ends the process*, as it would in native code.
      """;

  private static final String COLUMNS =
      """

      | provider | kind | operator | rule | what is wrong | before | now | check | on | tries | seconds |
      |---|---|---|---|---|---|---|---|---|---|---|
      """;
}

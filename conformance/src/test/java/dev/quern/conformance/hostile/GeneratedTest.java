package dev.quern.conformance.hostile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// The mutation score: how many mutants that are drawn from a seed the suite's default settings
/// kill.
///
/// `-Dquern.mutants.generated=N` draws so many, from `-Dquern.mutants.seed=S`; without it a build
/// has one of each kind. With `-Dquern.mutants.table=true` they are written to
/// `docs/conformance-generated.md`.
class GeneratedTest {
  private static final Path FILE = Path.of("..", "docs", "conformance-generated.md");
  private static final Path README = Path.of("..", "README.md");

  private static final int SOME = Generated.Drawn.values().length;

  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final int PROCESSES = 2;

  /// What is expected of one that is in no table.
  private static final Death DIES = new Death("", Death.How.KILLED, "", "", 0, 0);

  @TempDir static Path dir;

  @TestFactory
  Stream<DynamicTest> theSuiteKillsIt() throws IOException {
    int number = Integer.getInteger("quern.mutants.generated", SOME);
    long seed = Long.getLong("quern.mutants.seed", Settings.DEFAULT_SEED);
    System.out.printf(
        Locale.ROOT,
        "GeneratedTest: %d mutants of seed %d; -Dquern.mutants.generated=N draws more%n",
        number,
        seed);
    boolean table = Boolean.getBoolean("quern.mutants.table");
    Map<String, Death> known = DeathTable.read(FILE);
    // A survivor takes a whole run of the suite, and is known: it is tried for a new table only.
    List<Generated> mutants =
        IntStream.range(0, number)
            .mapToObj(n -> Generated.of(seed, n))
            .filter(m -> table || known.getOrDefault(m.hostile().id(), DIES).died())
            .toList();
    Map<String, Death> deaths =
        new Trials(dir, PROCESSES, LIMIT)
            .run(mutants.stream().map(m -> m.hostile().id()).toList(), known, d -> {});
    if (table) {
      Files.writeString(FILE, table(seed, mutants, deaths));
      return Stream.empty();
    }
    return mutants.stream()
        .map(m ->
            DynamicTest.dynamicTest(
                m.hostile().id(),
                () ->
                    assertTrue(
                        deaths.get(m.hostile().id()).died(),
                        () ->
                            String.format(
                                Locale.ROOT,
                                "%s survives: %s, %s",
                                m.hostile(),
                                m.hostile().operator(),
                                m.hostile().sentence()))));
  }

  @Test
  void theSameNumberOfASeedIsTheSameMutant() {
    for (int n = 0; n < SOME; n++) {
      Hostile first = Generated.of(7, n).hostile();
      Hostile second = Generated.of(first.id()).hostile();
      assertEquals(first.sentence(), second.sentence());
      assertEquals(first.operator(), second.operator());
    }
  }

  /// A mutant that never shows is none: its witness would not see it.
  @Test
  void theRightProviderIsNoMutant() {
    for (int n = 0; n < SOME; n++) {
      Generated mutant = Generated.of(7, n);
      Hostile right = new Hostile("right", Kind.SIZES, mutant.hostile().operator(), "", "", h -> h);
      assertTrue(mutant.witness().sees(mutant.hostile()), mutant.hostile().sentence());
      assertEquals(false, mutant.witness().sees(right), mutant.hostile().sentence());
    }
  }

  @Test
  void theReadmeHasTheScore() throws IOException {
    Map<String, Death> known = DeathTable.read(FILE);
    String score = score(known.values().stream().toList());
    assertTrue(Files.readString(README).contains(score), "README.md lacks: " + score);
    assertTrue(Files.readString(FILE).contains(score), FILE + " lacks: " + score);
  }

  private static String score(List<Death> deaths) {
    return String.format(
        Locale.ROOT, "%d of %d", deaths.stream().filter(Death::died).count(), deaths.size());
  }

  private static String table(long seed, List<Generated> mutants, Map<String, Death> deaths) {
    StringBuilder text =
        new StringBuilder(
            String.format(Locale.ROOT, HEAD, seed, score(List.copyOf(deaths.values()))));
    for (Generated.Drawn kind : Generated.Drawn.values()) {
      List<Death> some =
          mutants.stream()
              .filter(m -> m.kind() == kind)
              .map(m -> deaths.get(m.hostile().id()))
              .toList();
      if (some.isEmpty()) {
        continue;
      }
      List<Double> seconds =
          some.stream().filter(Death::died).map(Death::seconds).sorted().toList();
      text.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %s |\n",
              kind.sentence,
              score(some),
              some.stream()
                  .filter(Death::died)
                  .collect(Collectors.groupingBy(Death::rule, TreeMap::new, Collectors.counting()))
                  .entrySet()
                  .stream()
                  .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
                  .map(e -> e.getKey() + " " + e.getValue())
                  .collect(Collectors.joining(", ")),
              seconds.isEmpty()
                  ? "-"
                  : String.format(
                      Locale.ROOT,
                      "%.1f, %.1f",
                      seconds.get(seconds.size() / 2),
                      seconds.getLast())));
    }
    text.append(COLUMNS);
    for (Generated m : mutants) {
      text.append(
          DeathTable.row(
              m.hostile(),
              List.of(DeathTable.word(m.kind()), m.hostile().operator(), m.hostile().sentence()),
              deaths.get(m.hostile().id())));
    }
    return text.toString();
  }

  private static final String HEAD =
      """
      # Generated mutants

      Mutants that nobody wrote: each is the scalar provider with one fault that was drawn from a seed, out of what calls are made of (operators,
      formats, sizes, strides, workers, operands, calls) and what may go wrong there (the last column or row, a tile's tail, a lane, a worker; not
      written, a neighbour's, zero, read as zero, kept). Sizes are drawn so that their logarithms are uniform over what models to 70B have: inputs
      to 32,768, outputs to 262,144, rows to 1,024, positions to 131,072, workers to 64. `Generated` draws them, and mutant 17 of seed 1 is the
      same everywhere.

      A mutant that is wrong in no call that SPEC.md allows would be no mutant. So each comes with a witness: calls made for it, with which the
      right kernel and the mutant are called side by side. If all bits agree, what was drawn is dropped and another drawn in its place.

      Seed %d, the suite's default settings: **%s die**. This page was written by
      `./build -pl conformance -am test -Dtest=GeneratedTest -Dquern.mutants.generated=N -Dquern.mutants.table=true -Dsurefire.failIfNoSpecifiedTests=false`.
      The rule that is nearest to the fault is looked at first, as in [the hostile providers](conformance-hostile.md); *seconds* are the median's
      and the slowest one's, of those that died.

      | kind | died | of which rule | seconds |
      |---|---|---|---|
      """;

  private static final String COLUMNS =
      """

      | mutant | kind | operator | what is wrong | now | check | on | tries | seconds |
      |---|---|---|---|---|---|---|---|---|
      """;
}

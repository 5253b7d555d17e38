package dev.quern.conformance.mutants;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.Hunt;
import dev.quern.conformance.Settings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The suite kills every mutant, each by the rule that names its fault.
///
/// `./build -q -pl conformance -am test -Dtest=MutantsTest -Dquern.mutants.table=true
/// -Dsurefire.failIfNoSpecifiedTests=false` writes `docs/conformance-mutants.md`.
class MutantsTest {
  static final Settings SETTINGS =
      new Settings(Settings.DEFAULT_TRIES, Settings.DEFAULT_SEED, Optional.empty());

  private static final Path TABLE = Path.of("..", "docs", "conformance-mutants.md");

  private static final Pattern ROW =
      Pattern.compile(
          "^\\| `([a-z0-9-]+)` \\| .*? \\| (\\w+) \\| (\\w*) \\| \\w+ \\| ([^|]*?) ?\\|",
          Pattern.MULTILINE);

  private static final Map<String, String> KILLED = killed();

  /// Rules that are not asked for the table: P14 takes seconds a case.
  private static final Set<String> SLOW = Set.of("P14");

  /// Faults that end the process beside a guard page: see [OverReadTest].
  static final Set<Fault> CRASH = Set.of(Fault.OVER_READ_X, Fault.OVER_READ_WEIGHTS);

  static List<Fault> faults() {
    return Arrays.stream(Fault.values()).filter(f -> f != Fault.NONE).toList();
  }

  static List<Fault> faultsThatDoNotCrash() {
    return faults().stream().filter(f -> !CRASH.contains(f)).toList();
  }

  /// What killed each when the table was written: `P5_kind_of_spec Q5_1 exact-f32` by its id.
  private static Map<String, String> killed() {
    try {
      return ROW.matcher(Files.readString(TABLE))
          .results()
          .collect(
              Collectors.toMap(
                  m -> m.group(1),
                  m -> String.join(" ", m.group(2) + "_" + m.group(3), m.group(4))));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Hunt hunt(Fault fault) {
    return new Hunt(MutantProvider.target(fault), SETTINGS, fault.operator());
  }

  @ParameterizedTest
  @MethodSource("faultsThatDoNotCrash")
  void theNamedRuleKillsTheFault(Fault fault) {
    String likely = KILLED.getOrDefault(fault.id(), "");
    assertTrue(
        hunt(fault)
            .byAny((check, subject) ->
                !check.startsWith(fault.rule() + "_")
                    ? -1
                    : likely.equals(check + " " + subject) ? 0 : 1)
            .isPresent(),
        () ->
            String.format(
                Locale.ROOT, "%s survived %s: %s", fault.id(), fault.rule(), fault.sentence()));
  }

  @Test
  void theTableListsTheCatalogue() throws IOException {
    if (Boolean.getBoolean("quern.mutants.table")) {
      Files.writeString(TABLE, table());
    }
    Set<String> listed =
        ROW.matcher(Files.readString(TABLE))
            .results()
            .map(m -> m.group(1) + " " + m.group(2))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> expected =
        faults().stream()
            .map(f -> f.id() + " " + f.rule())
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(
        expected, listed, TABLE + " is out of date; the comment above says how to write it");
  }

  private static String table() {
    StringBuilder text = new StringBuilder(HEAD);
    for (Fault fault : faults()) {
      text.append(row(fault));
    }
    return text.append(TAIL).toString();
  }

  private static String row(Fault fault) {
    if (CRASH.contains(fault)) {
      return row(fault, "stays_in_bounds", "any", "1", "");
    }
    Hunt.Kill kill = hunt(fault).by(fault.rule()).orElseThrow();
    Set<String> others =
        fault.operator().equals("provider")
            ? Set.of()
            : new TreeSet<>(hunt(fault).rulesThatFail(kill.subject(), SLOW));
    return row(
        fault,
        kill.check().substring(kill.check().indexOf('_') + 1),
        kill.subject(),
        Integer.toString(kill.tries()),
        others.stream().filter(r -> !r.equals(fault.rule())).collect(Collectors.joining(" ")));
  }

  private static String row(
      Fault fault, String check, String subject, String tries, String others) {
    return String.format(
        Locale.ROOT,
        "| `%s` | %s | %s | %s | %s | %s | %s | %s |%n",
        fault.id(),
        fault.sentence(),
        fault.rule(),
        check,
        fault.operator(),
        subject,
        tries,
        others);
  }

  private static final String HEAD =
      String.format(
          Locale.ROOT,
          """
          # Mutants

          What the conformance suite must find: deliberate faults, one at a time, in a small provider that is right without them. The catalogue is
          `conformance/src/test/java/dev/quern/conformance/mutants/Fault.java`; `MutantsTest` asserts that each is killed by the rule in its row, with
          %d generated cases a rule and format and seed %d, as in any run. It also wrote this table.

          *tries*: cases of that rule until the first failure, over all formats in their order (a fault of Q5_1 waits for Q5_1). *also*: other rules that
          fail on the same subject (P14, which takes seconds a case, is not asked). Over-reads end the process beside a guard page, as they do in native code,
          so they run in a child JVM.

          | fault | what is wrong | rule | check | operator | killed on | tries | also |
          |---|---|---|---|---|---|---|---|
          """,
          Settings.DEFAULT_TRIES,
          Settings.DEFAULT_SEED);

  private static final String TAIL =
      """

      ## What they taught the suite

      Three faults survived its first version, and others were found by luck. Each changed it: a scale that is ignored (scales other than
      1/sqrt(headDim) are tried now), F16 overflow in append (wide values), arrays allocated for each call or row, and in append (P14 measures
      long rows, many rows, and append), a kernel that keeps state between two runs (P12's two threads take their runs in step), workers that
      share scratch (P11 compares scratch before and after each task), scratch that is overrun (P7 looks at its canaries before a guard page ends
      the process).

      ## Two faults made up afterwards

      `InjectedFaultsTest` changes one number in the byte code of a copy of the scalar provider.

      | fault | rule |
      |---|---|
      | SwiGLU, which works in parts of 1024 columns, leaves out the last column of each full part | S1. It survived at first: no width was over 600. Now there are cases beyond any tile: SwiGLU of 4099 columns, linear of 515 outputs, attention over 1103 positions |
      | the lower four minimums of a Q4_K or Q5_K block lose their sixth bit, on the int8 path alone | L9, on `Q4_K int8-sym-256` |
      """;
}

package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.catalog.ProviderRules;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Rules of SPEC.md, what the suite checks of each, and what these checks have killed:
/// `docs/conformance-matrix.md`, which follows from SPEC.md, the suite's catalogue, and the tables
/// that `MutantsTest`, `HostileTest` and `GeneratedTest` wrote. Nothing is run.
///
/// `./build -pl conformance -am test -Dtest=MatrixTest -Dquern.matrix.table=true
/// -Dsurefire.failIfNoSpecifiedTests=false` writes it.
class MatrixTest {
  private static final Path DOCS = Path.of("..", "docs");
  private static final Path FILE = DOCS.resolve("conformance-matrix.md");

  /// Checks that have killed nothing in those tables, each with the reason. A check that follows
  /// another one of its rule is often the second to see a fault; most have a fault of their own in
  /// a test.
  private static final Map<String, String> NO_KILLS =
      Map.ofEntries(
          Map.entry("support_declaration", "a declaration that can't be read: `SupportTest`"),
          Map.entry(
              "support_accepts_something", "a provider that declines all: `ExampleProviderTest`"),
          Map.entry("P10_more_scratch", "a fault in `MemoryRulesTest`"),
          Map.entry(
              "P11_long_rows",
              "all numbers of workers where `P5_model_sizes` tries one, which had sufficed"),
          Map.entry("P12_kernels_of_one_spec", "a fault in `RememberingKernelsTest`"),
          Map.entry("P12_no_call_waits", "a fault in `ThreadFaultsTest`"),
          Map.entry("P12_no_call_waits_for_pack", "a fault in `ThreadFaultsTest`"),
          Map.entry("P13_callers_thread_alone", "a fault in `ThreadFaultsTest`"),
          Map.entry("P13_long_rows_alone", "the same check on other sizes: `ThreadFaultsTest`"),
          Map.entry("P13_pack_callers_threads", "a fault in `ThreadFaultsTest`"),
          Map.entry("P14_large_calls", "a fault in `MemoryRulesTest`"),
          Map.entry("P15_moved", "a fault in `RememberingKernelsTest`"),
          Map.entry("P16_nowhere_else", "a fault in `MemoryRulesTest`"),
          Map.entry("P18_after_a_failure", "a fault in `RememberingKernelsTest`"),
          Map.entry("L5_what_y_held", "a fault in `MemoryRulesTest`"),
          Map.entry("L8_ties", "x on ties for L6 and L7, whose checks come first"),
          Map.entry("L9_int8_distance", "the wide bound; `L9_int8_model` has the tight one"),
          Map.entry("L13_bf16_model", "faults in `Bf16FaultsTest`"),
          Map.entry("L13_bf16_distance", "the wide bound; `L13_bf16_model` has the tight one"),
          Map.entry("L13_bf16_ties", "a fault in `Bf16FaultsTest`"),
          Map.entry("N7_groups_alone", "bits of what `N7_groups` judges by its bound"),
          Map.entry("R1_rotation", "turns back what `R1_exact` has judged already"),
          Map.entry("R3_any_table", "another table than the one that `R3_positions` has"),
          Map.entry("S4_one_input", "a fault in `MemoryRulesTest`"),
          Map.entry("S5_elements_alone", "bits of what `S1_exact` judges by its bound"));

  @Test
  void theTableIsWhatTheCataloguesSay() throws IOException {
    List<String> unexplained = new ArrayList<>();
    String table = table(unexplained);
    assertEquals(List.of(), unexplained, "checks that kill nothing, and nobody says why");
    if (Boolean.getBoolean("quern.matrix.table")) {
      Files.writeString(FILE, table);
    }
    assertEquals(
        table,
        Files.readString(FILE),
        FILE + " is out of date; the comment above says how to write it");
  }

  /// A reason stands for something that the suite has, and for nothing that needs none.
  @Test
  void reasonsAreNotLeftOver() throws IOException {
    Map<String, Set<String>> kills = kills();
    Set<String> idle = new TreeSet<>(checks().keySet());
    idle.removeAll(kills.keySet());
    assertEquals(idle, new TreeSet<>(NO_KILLS.keySet()));
    Set<String> tested =
        checks().keySet().stream().map(MatrixTest::rule).collect(Collectors.toSet());
    assertEquals(
        Set.of(),
        SuiteCatalog.untested().keySet().stream()
            .filter(tested::contains)
            .collect(Collectors.toSet()));
  }

  private static String table(List<String> unexplained) throws IOException {
    Map<String, Set<String>> checks = checks();
    Map<String, Set<String>> kills = kills();
    StringBuilder text = new StringBuilder(HEAD);
    List<String> rules = new ArrayList<>(SpecText.rules().keySet());
    rules.add(ProviderRules.SUPPORT);
    for (String rule : rules) {
      List<String> of = checks.keySet().stream().filter(c -> rule(c).equals(rule)).toList();
      if (of.isEmpty()) {
        String reason = SuiteCatalog.untested().get(rule);
        if (reason == null) {
          unexplained.add(rule);
        }
        text.append(String.format(Locale.ROOT, "| %s | none | | %s |\n", rule, reason));
      }
      for (String check : of) {
        Set<String> killed = kills.getOrDefault(check, Set.of());
        if (killed.isEmpty() && !NO_KILLS.containsKey(check)) {
          unexplained.add(check);
        }
        text.append(
            String.format(
                Locale.ROOT,
                "| %s | `%s` | %s | %s |\n",
                rule,
                check,
                String.join(", ", checks.get(check)),
                killed.isEmpty() ? NO_KILLS.get(check) : String.join(", ", killed)));
      }
    }
    return text.toString();
  }

  /// Everything that is checked, with the operators on which it is.
  private static Map<String, Set<String>> checks() {
    Map<String, Set<String>> checks = new LinkedHashMap<>();
    ProviderRules.whole().forEach(r -> add(checks, r.testName(), "provider"));
    for (OperatorSuite<?> suite : SuiteCatalog.operators()) {
      checks(suite).forEach(check -> add(checks, check, suite.name()));
    }
    return checks;
  }

  private static <C extends Record & Case> List<String> checks(OperatorSuite<C> suite) {
    List<Rule<C>> rules = new ArrayList<>(ProviderRules.offers(suite));
    rules.addAll(suite.rules());
    return rules.stream().map(Rule::testName).toList();
  }

  /// What each check has killed: mutants and hostile providers by name, generated ones by number.
  private static Map<String, Set<String>> kills() throws IOException {
    Map<String, Set<String>> kills = new LinkedHashMap<>();
    for (Map<String, String> row : rows("conformance-mutants.md")) {
      if (row.containsKey("fault") && row.containsKey("check")) {
        add(kills, row.get("rule") + "_" + row.get("check"), row.get("fault"));
      }
    }
    for (Map<String, String> row : rows("conformance-hostile.md")) {
      if (row.containsKey("provider") && !row.get("check").isEmpty()) {
        add(kills, row.get("check"), "*" + row.get("provider").replace("`", "") + "*");
      }
    }
    Map<String, Long> generated =
        rows("conformance-generated.md").stream()
            .filter(row -> row.containsKey("mutant") && !row.get("check").isEmpty())
            .collect(Collectors.groupingBy(row -> row.get("check"), Collectors.counting()));
    generated.forEach(
        (check, n) -> add(kills, check, String.format(Locale.ROOT, "%d generated", n)));
    return kills;
  }

  /// Rows of a page's tables: cells by the heads of their columns.
  private static List<Map<String, String>> rows(String page) throws IOException {
    List<Map<String, String>> rows = new ArrayList<>();
    List<String> head = List.of();
    for (String line : Files.readAllLines(DOCS.resolve(page))) {
      List<String> cells =
          line.startsWith("| ")
              ? List.of(line.substring(2).split(" *(?<!\\\\)\\| ?", -1))
              : List.of();
      if (cells.isEmpty()) {
        head = line.startsWith("|--") ? head : List.of();
      } else if (head.isEmpty()) {
        head = cells;
      } else {
        Map<String, String> row = new LinkedHashMap<>();
        for (int i = 0; i < Math.min(head.size(), cells.size()); i++) {
          row.put(head.get(i), cells.get(i));
        }
        rows.add(row);
      }
    }
    return rows;
  }

  private static String rule(String check) {
    return check.substring(0, check.indexOf('_'));
  }

  private static void add(Map<String, Set<String>> to, String key, String value) {
    to.computeIfAbsent(key, k -> new LinkedHashSet<>()).add(value);
  }

  private static final String HEAD =
      """
      # Rules, checks, and what they kill

      Each rule of [SPEC.md](../api/SPEC.md), what the suite checks of it and on which operators, and what has died of that check:
      [mutants](conformance-mutants.md) in `code`, [hostile providers](conformance-hostile.md) in *italics*,
      [generated mutants](conformance-generated.md) by their number. A provider is listed where it died first, so most would die of other checks
      as well. Where nothing is listed, the reason is. `MatrixTest` wrote this page, and holds it against SPEC.md and the suite: what is new in
      either has to appear here.

      | rule | check | operators | kills |
      |---|---|---|---|
      """;
}

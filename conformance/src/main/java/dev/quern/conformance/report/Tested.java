package dev.quern.conformance.report;

import static java.util.stream.Collectors.toSet;

import dev.quern.conformance.CellResult;
import dev.quern.conformance.ModelResult;
import dev.quern.conformance.SuiteResult;
import dev.quern.conformance.catalog.SuiteCatalog;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// A provider that the suite has run on.
///
/// @param origin where it comes from
/// @param result what the suite found
/// @param nanos how long each test took, in nanoseconds, by the keys of [Stopwatch]; 0 where it is
///   not there
/// @param replayCommand what stands before a replay string to run that case again
/// @param extent how far it went; empty where nobody has counted
/// @since 0.1
/// @stability api
public record Tested(
    Origin origin,
    SuiteResult result,
    Map<String, Long> nanos,
    String replayCommand,
    Optional<Extent> extent) {

  public Tested {
    nanos = Map.copyOf(nanos);
  }

  /// A run of which nobody has counted how far it went.
  public Tested(Origin origin, SuiteResult result, Map<String, Long> nanos, String replayCommand) {
    this(origin, result, nanos, replayCommand, Optional.empty());
  }

  /// Whether the provider keeps the specification: it accepted something, and no rule is broken.
  public boolean green() {
    List<SubjectResult> specs = specs();
    return result.green() && (specs.isEmpty() || specs.stream().anyMatch(SubjectResult::accepted));
  }

  /// One result for each rule and subject.
  public List<TestResult> tests() {
    Map<String, List<CellResult>> cells = new LinkedHashMap<>();
    for (CellResult cell : result.cells()) {
      cells.computeIfAbsent(TestResult.key(cell), k -> new ArrayList<>()).add(cell);
    }
    return cells.entrySet().stream()
        .map(e -> new TestResult(e.getValue(), nanos.getOrDefault(e.getKey(), 0L)))
        .toList();
  }

  /// The cells of each operator and subject. Specs of models are not among them.
  public List<SubjectResult> subjects() {
    Set<String> models =
        result.models().stream().map(m -> key(m.operator(), m.subject())).collect(toSet());
    return byKey().entrySet().stream()
        .filter(e -> !models.contains(e.getKey()))
        .map(e -> new SubjectResult(e.getValue()))
        .toList();
  }

  /// The specs of models, model by model, with the cells of each.
  Map<ModelResult, SubjectResult> models() {
    Map<String, List<CellResult>> cells = byKey();
    Map<ModelResult, SubjectResult> models = new LinkedHashMap<>();
    for (ModelResult m :
        result.models().stream().sorted(Comparator.comparing(ModelResult::model)).toList()) {
      List<CellResult> own = cells.get(key(m.operator(), m.subject()));
      if (own != null) { // a run that was stopped has not come to all
        models.put(m, new SubjectResult(own));
      }
    }
    return models;
  }

  private Map<String, List<CellResult>> byKey() {
    Map<String, List<CellResult>> cells = new LinkedHashMap<>();
    for (CellResult cell : result.cells()) {
      cells.computeIfAbsent(key(cell.operator(), cell.subject()), k -> new ArrayList<>()).add(cell);
    }
    return cells;
  }

  private static String key(String operator, String subject) {
    return operator + "/" + subject;
  }

  /// The kinds of spec among them.
  List<SubjectResult> specs() {
    return subjects().stream().filter(s -> !s.provider()).toList();
  }

  /// The verdict in one line.
  public String verdict() {
    Counts all = Counts.of(result.cells());
    long accepted = specs().stream().filter(SubjectResult::accepted).count();
    long declined = specs().size() - accepted;
    if (accepted == 0 && !specs().isEmpty()) {
      return Format.text(
          "FAILED: %s accepted nothing, so no kernel was checked; all %d kinds of spec were declined",
          origin.name(), declined);
    }
    return Format.text(
        "%s: %s %s the specification; cases: %,d passed, %,d failed, %,d declined, %,d skipped; kinds of spec: %d accepted, %d declined",
        green() ? "PASSED" : "FAILED",
        origin.name(),
        green() ? "keeps" : "does not keep",
        all.passes(),
        all.failures(),
        all.declined(),
        all.skipped(),
        accepted,
        declined);
  }

  /// Whether its declaration is missing, can't be read, or says something else than its offers.
  boolean supportFailed() {
    return result.cells().stream().anyMatch(c -> c.rule().equals("support") && c.failures() > 0);
  }

  /// A support declaration of what was accepted here: the lines that the file
  /// `META-INF/quern/NAME.support` would have. Shapes that are declined need a `where` besides.
  List<String> suggestion() {
    Map<String, Set<String>> numerics = new LinkedHashMap<>(); // by operator and format
    for (SubjectResult s : specs()) {
      if (s.accepted()) {
        String[] words = s.subject().split(" ", 2);
        // Those that had one kind of spec at first call it F32.
        String implied = implied(s.operator(), 0);
        String name = words[0].equals("F32") && !implied.isEmpty() ? implied : words[0];
        numerics
            .computeIfAbsent(
                s.operator() + " " + name + "/" + namedByRules(s), k -> new LinkedHashSet<>())
            .add(words.length > 1 ? words[1] : "");
      }
    }
    Map<String, List<String>> formats = new LinkedHashMap<>(); // by operator and numerics
    numerics.forEach((key, value) -> {
      String[] words = key.split("[ /]", 3);
      formats
          .computeIfAbsent(
              words[0] + " %s " + added(words[0], value) + words[2], k -> new ArrayList<>())
          .add(words[1]);
    });
    return formats.entrySet().stream()
        .map(e -> String.format(Locale.ROOT, e.getKey(), String.join(",", e.getValue())).strip())
        .toList();
  }

  /// The last column, where rules that alone have one of its names were kept, or broken.
  private static String namedByRules(SubjectResult s) {
    return SuiteCatalog.find(s.operator()).stream()
        .flatMap(suite ->
            suite.namesByRule().entrySet().stream()
                .filter(e ->
                    s.cells().stream()
                        .anyMatch(
                            c -> c.rule().equals(e.getKey()) && c.passes() + c.failures() > 0))
                .map(e -> " " + suite.impliedNames().getLast() + "," + e.getValue()))
        .collect(Collectors.joining());
  }

  /// What stands behind the formats: numerics, or the names of a column that may be left out.
  private static String added(String operator, Set<String> names) {
    return names.equals(Set.of(""))
        ? ""
        : names.stream()
            .map(n -> n.isEmpty() ? implied(operator, 1) : n)
            .collect(Collectors.joining(","));
  }

  private static String implied(String operator, int column) {
    return SuiteCatalog.find(operator).stream()
        .flatMap(suite -> suite.impliedNames().stream().skip(column))
        .findFirst()
        .orElse("");
  }
}

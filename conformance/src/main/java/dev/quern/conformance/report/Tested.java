package dev.quern.conformance.report;

import dev.quern.conformance.CellResult;
import dev.quern.conformance.SuiteResult;
import dev.quern.conformance.support.SupportCheck;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A provider that the suite has run on.
///
/// @param origin where it comes from
/// @param result what the suite found
/// @param support its declaration against that; empty where one case was replayed
/// @param nanos how long each test took, by [TestResult#key()]; 0 where it is not there
/// @param replayCommand what stands before a replay string to run that case again
public record Tested(
    Origin origin,
    SuiteResult result,
    Optional<SupportCheck> support,
    Map<String, Long> nanos,
    String replayCommand) {

  public Tested {
    nanos = Map.copyOf(nanos);
  }

  /// Whether the provider keeps the specification: no rule is broken, something was checked, and it
  /// runs what it declares.
  public boolean green() {
    return result.green() && support.map(SupportCheck::agrees).orElse(true);
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

  /// The cells of each operator and subject.
  public List<SubjectResult> subjects() {
    Map<String, List<CellResult>> cells = new LinkedHashMap<>();
    for (CellResult cell : result.cells()) {
      cells
          .computeIfAbsent(cell.operator() + "/" + cell.subject(), k -> new ArrayList<>())
          .add(cell);
    }
    return cells.values().stream().map(SubjectResult::new).toList();
  }

  /// The verdict in one line.
  public String verdict() {
    Counts all = Counts.of(result.cells());
    long accepted = subjects().stream().filter(SubjectResult::accepted).count();
    long declined = subjects().size() - accepted;
    if (all.passes() + all.failures() == 0) {
      return "FAILED: %s accepted nothing, so nothing was checked (%d of %d declined)"
          .formatted(origin.name(), declined, subjects().size());
    }
    long problems = support.map(s -> (long) s.problems().size()).orElse(0L);
    return "%s: %s keeps %s: %,d cases passed, %,d failed, %,d declined, %,d skipped; %d kinds of spec accepted, %d declined%s"
        .formatted(
            green() ? "PASSED" : "FAILED",
            origin.name(),
            green() ? "the specification" : "not all of the specification",
            all.passes(),
            all.failures(),
            all.declined(),
            all.skipped(),
            accepted,
            declined,
            problems == 0 ? "" : "; " + problems + " problems with its declared support");
  }
}

package dev.quern.conformance.report;

import dev.quern.conformance.CellResult;
import dev.quern.conformance.Failure;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// One rule on one subject, with all its classes of shapes: what JUnit shows as a test.
///
/// @param cells its cells, at least one
/// @param nanos how long it took
record TestResult(List<CellResult> cells, long nanos) {
  /// Names a test among all: `linear/L5_exact_f32/Q4_0 exact-f32`.
  static String key(CellResult cell) {
    return String.format(Locale.ROOT, "%s/%s/%s", cell.operator(), cell.testName(), cell.subject());
  }

  String operator() {
    return cells.getFirst().operator();
  }

  String rule() {
    return cells.getFirst().rule();
  }

  String testName() {
    return cells.getFirst().testName();
  }

  /// As a provider's author sees it under JUnit: unique in the whole suite.
  String title() {
    return cells.getFirst().title();
  }

  String subject() {
    return cells.getFirst().subject();
  }

  Counts counts() {
    return Counts.of(cells);
  }

  /// Why cases were not checked, each reason once.
  List<String> reasons() {
    return cells.stream().flatMap(c -> c.skips().keySet().stream()).distinct().sorted().toList();
  }

  Optional<Failure> failure() {
    return cells.stream().flatMap(c -> c.firstFailure().stream()).findFirst();
  }
}

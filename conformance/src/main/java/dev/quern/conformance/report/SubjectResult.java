package dev.quern.conformance.report;

import dev.quern.conformance.CellResult;
import dev.quern.conformance.support.SupportCheck;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// All rules on one subject: a row of the reports' tables.
///
/// @param cells its cells, at least one
record SubjectResult(List<CellResult> cells) {
  String operator() {
    return cells.getFirst().operator();
  }

  String subject() {
    return cells.getFirst().subject();
  }

  Counts counts() {
    return Counts.of(cells);
  }

  /// Whether the provider took a spec of it.
  boolean accepted() {
    return cells.stream().anyMatch(c -> c.passes() + c.failures() > 0);
  }

  /// Counts by class of shapes.
  Map<String, Counts> shapes() {
    return cells.stream()
        .collect(
            Collectors.groupingBy(
                CellResult::shapeClass,
                LinkedHashMap::new,
                Collectors.collectingAndThen(Collectors.toCollection(ArrayList::new), Counts::of)));
  }

  /// Why specs were declined, each reason once.
  List<String> declinedBecause() {
    return cells.stream()
        .flatMap(c -> c.skips().keySet().stream())
        .filter(r -> r.startsWith(SupportCheck.DECLINED))
        .map(r -> r.substring(SupportCheck.DECLINED.length()))
        .distinct()
        .toList();
  }
}

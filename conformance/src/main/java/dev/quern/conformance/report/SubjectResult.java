package dev.quern.conformance.report;

import dev.quern.conformance.CellResult;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// All rules on one subject: a row of the reports' tables.
///
/// @param cells its cells, at least one
record SubjectResult(List<CellResult> cells) {
  /// The rules about offers, which declined specs keep or break as well.
  private static final Set<String> OFFER_RULES = Set.of("P4", "support");

  String operator() {
    return cells.getFirst().operator();
  }

  String subject() {
    return cells.getFirst().subject();
  }

  Counts counts() {
    return Counts.of(cells);
  }

  /// Counts of the rules whose ratio is an error against a bound. That of P14 is bytes against
  /// bytes.
  Counts errors() {
    return Counts.of(cells.stream().filter(c -> !c.rule().equals("P14")).toList());
  }

  /// Whether it is the provider itself, and not a kind of spec.
  boolean provider() {
    return operator().equals("provider");
  }

  /// Whether a kernel was called, so the provider took a spec of it.
  boolean accepted() {
    return cells.stream()
        .filter(c -> provider() || !OFFER_RULES.contains(c.rule()))
        .anyMatch(c -> c.passes() + c.failures() > 0);
  }

  /// Whether the provider's declaration says the same as its offers; empty where that wasn't
  /// checked.
  Optional<Boolean> asDeclared() {
    Counts c = Counts.of(cells.stream().filter(x -> x.rule().equals("support")).toList());
    return c.passes() + c.failures() == 0 ? Optional.empty() : Optional.of(c.failures() == 0);
  }

  /// `failed`, `declined`, `passed` or `skipped`.
  String status() {
    String status = counts().status();
    return status.equals("passed") && !accepted() ? "declined" : status;
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
        .filter(r -> r.startsWith(Counts.DECLINED))
        .map(r -> r.substring(Counts.DECLINED.length()))
        .distinct()
        .toList();
  }
}

package dev.quern.conformance.support;

import dev.quern.conformance.CellResult;
import dev.quern.conformance.SuiteResult;
import dev.quern.conformance.support.Support.Level;
import dev.quern.conformance.support.Support.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// A provider's declaration against what a run found: what it accepts must be declared, and what is
/// declared must be accepted.
///
/// @param source the declaration's; empty if the provider has none
/// @param findings every subject of the run
/// @param problems one line each; empty if declaration and provider agree
/// @param suggestion a declaration of what was accepted on this platform
public record SupportCheck(
    Optional<String> source,
    List<Finding> findings,
    List<String> problems,
    List<String> suggestion) {
  /// What a skip's reason begins with if the provider declined the spec.
  public static final String DECLINED = "declined: ";

  /// One subject.
  ///
  /// @param operator its operator
  /// @param subject its label: `Q4_0 int8-sym-32`
  /// @param declared how much is declared on this platform
  /// @param accepted whether the provider took one of its specs, or more
  /// @param declinedBecause the reason with which it declined one; empty if it declined none
  public record Finding(
      String operator,
      String subject,
      Level declared,
      boolean accepted,
      Optional<String> declinedBecause) {

    /// What doesn't agree, in one line.
    Optional<String> problem() {
      String what = operator + " " + subject;
      String because = declinedBecause.orElse("nothing of it was checked");
      if (accepted && declared == Level.NONE) {
        return Optional.of(what + ": accepted, but not declared");
      }
      if (!accepted && declared != Level.NONE) {
        return Optional.of("%s: declared, but declined: %s".formatted(what, because));
      }
      if (accepted && declared == Level.ALL && declinedBecause.isPresent()) {
        return Optional.of(
            "%s: declared, but some shapes declined: %s (declare it 'partly' if that is meant)"
                .formatted(what, because));
      }
      return Optional.empty();
    }
  }

  public SupportCheck {
    findings = List.copyOf(findings);
    problems = List.copyOf(problems);
    suggestion = List.copyOf(suggestion);
  }

  /// Compares. Operators that did not run are left out.
  ///
  /// @param support the declaration, if there is one
  public static SupportCheck of(Optional<Support> support, SuiteResult result) {
    Map<String, Map<String, List<CellResult>>> subjects =
        result.cells().stream()
            .filter(c -> !c.operator().equals("provider"))
            .collect(
                Collectors.groupingBy(
                    CellResult::operator,
                    LinkedHashMap::new,
                    Collectors.groupingBy(
                        CellResult::subject, LinkedHashMap::new, Collectors.toList())));
    List<Finding> findings = new ArrayList<>();
    subjects.forEach((operator, bySubject) ->
        bySubject.forEach((subject, cells) ->
            findings.add(
                new Finding(
                    operator,
                    subject,
                    support
                        .map(s -> s.level(result.platform(), operator, subject))
                        .orElse(Level.NONE),
                    cells.stream().anyMatch(c -> c.passes() + c.failures() > 0),
                    cells.stream()
                        .flatMap(c -> c.skips().keySet().stream())
                        .filter(r -> r.startsWith(DECLINED))
                        .map(r -> r.substring(DECLINED.length()))
                        .findFirst()))));
    List<String> problems = new ArrayList<>();
    List<String> suggestion = suggestion(findings);
    if (support.isEmpty()) {
      problems.add(
          "its JAR declares no support: add " + Support.resource(result.provider()) + " to it");
    } else {
      findings.forEach(f -> f.problem().ifPresent(problems::add));
      support.get().statements().forEach(s -> unknown(s, findings).ifPresent(problems::add));
    }
    return new SupportCheck(support.map(Support::source), findings, problems, suggestion);
  }

  /// Whether declaration and provider agree.
  public boolean agrees() {
    return problems.isEmpty();
  }

  /// A statement about an operator that ran, of which no subject is meant: a misspelt format.
  private static Optional<String> unknown(Statement s, List<Finding> findings) {
    List<String> labels =
        findings.stream()
            .filter(f -> f.operator().equals(s.operator()))
            .map(Finding::subject)
            .toList();
    return labels.isEmpty() || labels.stream().anyMatch(l -> s.covers(s.operator(), l))
        ? Optional.empty()
        : Optional.of(
            "line %d of the declaration: %s %s is nothing that the suite knows, expected words of %s"
                .formatted(
                    s.line(),
                    s.operator(),
                    s.words().stream()
                        .map(w -> String.join(",", w))
                        .collect(Collectors.joining(" ")),
                    labels));
  }

  /// Subjects that differ in their first word alone share a line.
  private static List<String> suggestion(List<Finding> findings) {
    Map<String, Set<String>> lasts = new LinkedHashMap<>(); // operator and first word
    for (Finding f : findings) {
      if (f.accepted()) {
        String[] words = f.subject().split(" ", 2);
        String partly = f.declinedBecause().isPresent() ? " partly" : "";
        lasts
            .computeIfAbsent(f.operator() + " " + words[0] + partly, k -> new LinkedHashSet<>())
            .add(words.length > 1 ? words[1] : "");
      }
    }
    Map<String, List<String>> firsts = new LinkedHashMap<>();
    lasts.forEach((key, rest) -> {
      String[] words = key.split(" ");
      String partly = words.length > 2 ? " partly" : "";
      String end = " " + String.join(",", rest);
      firsts
          .computeIfAbsent(words[0] + " %s" + end.stripTrailing() + partly, k -> new ArrayList<>())
          .add(words[1]);
    });
    return firsts.entrySet().stream()
        .map(e -> e.getKey().replace("%s", String.join(",", e.getValue())))
        .toList();
  }
}

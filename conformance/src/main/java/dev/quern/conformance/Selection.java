package dev.quern.conformance;

import java.util.Set;

/// A part of the suite. An empty set means all.
///
/// @param operators names of operators; `provider` for the provider's own rules
/// @param subjects words of subjects: `Q4_0`, `int8-sym-32`, `half-split`
/// @param rules ids of rules: `L5`
/// @since 0.1
/// @stability api
public record Selection(Set<String> operators, Set<String> subjects, Set<String> rules) {
  public Selection {
    operators = Set.copyOf(operators);
    subjects = Set.copyOf(subjects);
    rules = Set.copyOf(rules);
  }

  /// The whole suite.
  public static Selection all() {
    return new Selection(Set.of(), Set.of(), Set.of());
  }

  boolean operator(String name) {
    return operators.isEmpty() || operators.contains(name);
  }

  boolean subject(String label) {
    return subjects.isEmpty() || Set.of(label.split(" ")).stream().anyMatch(subjects::contains);
  }

  boolean rule(String id) {
    return rules.isEmpty() || rules.contains(id);
  }
}

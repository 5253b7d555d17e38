package dev.quern.conformance.rules;

import java.util.List;

/// Everything that is tested, and what is not.
public final class Catalog {
  private Catalog() {}

  /// The operators, in the order of SPEC.md.
  public static List<OperatorSuite<?>> operators() {
    return List.of(new LinearRules());
  }
}

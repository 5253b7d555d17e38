package dev.quern.conformance.rules;

import java.util.List;
import java.util.Map;

/// Everything that is tested, and what is not.
public final class Catalog {
  private Catalog() {}

  /// The operators, in the order of SPEC.md.
  public static List<OperatorSuite<?>> operators() {
    return List.of(
        new LinearRules(),
        new AttentionRules(),
        new RmsNormRules(),
        new RopeRules(),
        new SwiGluRules());
  }

  /// The rules of SPEC.md that no check is named after, each with the reason.
  public static Map<String, String> untested() {
    return Map.of(
        "P17", "the façade's duty, and tested there",
        "P19", "stated for each operator by L10, L11, A8, N2, R4 and S3, which are tested",
        "P20", "a permission: every bound has room for it",
        "F2", "a permission, within L5 to L9 and L13",
        "L12", "the caller's duty, checked by the façade",
        "A9", "the caller's duty, checked by the façade");
  }
}

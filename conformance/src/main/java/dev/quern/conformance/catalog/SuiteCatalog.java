package dev.quern.conformance.catalog;

import dev.quern.conformance.attention.AttentionRules;
import dev.quern.conformance.cases.Case;
import dev.quern.conformance.linear.LinearRules;
import dev.quern.conformance.rows.RmsNormRules;
import dev.quern.conformance.rows.RopeRules;
import dev.quern.conformance.rows.SwiGluRules;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.SpecCases;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/// Everything that is tested, and what is not.
public final class SuiteCatalog {
  private SuiteCatalog() {}

  /// The operators, in the order of SPEC.md.
  public static List<OperatorSuite<?>> operators() {
    return List.of(
        new LinearRules(),
        new AttentionRules(),
        new RmsNormRules(),
        new RopeRules(),
        new SwiGluRules());
  }

  /// Their names.
  public static Stream<String> names() {
    return operators().stream().map(OperatorSuite::name);
  }

  /// An operator.
  ///
  /// @param name `linear`
  public static Optional<OperatorSuite<?>> find(String name) {
    return operators().stream().filter(o -> o.name().equals(name)).findFirst();
  }

  /// How large a dimension gets in the models that people run.
  ///
  /// @param dimension of the operator's: `inputs`
  public static OptionalLong largest(String operator, String dimension) {
    return find(operator)
        .map(o -> o.sizesInModels().get(dimension))
        .map(sizes -> OptionalLong.of(sizes.getLast()))
        .orElseGet(OptionalLong::empty);
  }

  /// The cases of a model's kernel.
  ///
  /// @throws IllegalArgumentException if its spec is of no operator, or of a kind that cases can't
  ///   express
  public static SpecCases specCases(SpecCases.Wanted wanted) {
    SpecCases made =
        operators().stream()
            .filter(o -> o.operator().specType().isInstance(wanted.spec()))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no operator has " + wanted.spec()))
            .specCases(wanted);
    for (Case c : made.cases()) {
      if (!c.spec().equals(wanted.spec())) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT, "%s, expected what cases have: %s", wanted.spec(), c.spec()));
      }
    }
    return made;
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

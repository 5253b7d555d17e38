package dev.quern.conformance;

import java.util.List;
import java.util.Optional;

/// Where two providers differ, on the same cases. Plain data, from which reports are made.
///
/// @param first a provider's name
/// @param second another's
/// @param settings tries and seed
/// @param differences one for each subject: a weight format under a numerics, a cache format, ...
/// @since 0.1
/// @stability api
public record Comparison(
    String first, String second, Settings settings, List<Difference> differences) {

  /// One subject.
  ///
  /// @param operator its operator
  /// @param subject its label: `Q4_0 int8-sym-32`
  /// @param cases cases that both ran
  /// @param declined why a case was run by one alone or by neither, the first time; empty if both
  ///   ran all
  /// @param firstWorst the first provider's worst error against its bound
  /// @param secondWorst the second's
  /// @param most where they differ most; empty where all results have the same bits
  /// @param broken what is wrong in itself: a provider out of its bound, or that threw; the first
  ///   time
  public record Difference(
      String operator,
      String subject,
      int cases,
      String declined,
      double firstWorst,
      double secondWorst,
      Optional<Most> most,
      Optional<String> broken) {}

  /// The element in which two results differ most.
  ///
  /// @param ratio the difference against the larger bound of the two; above 2, one of them is wrong
  /// @param where the element: `y[2][5]`
  /// @param expected the reference's value
  /// @param first the first provider's
  /// @param second the second's
  /// @param bound the bound that the difference was measured in
  /// @param replay the case, which `--compare ... --replay` takes
  public record Most(
      double ratio,
      String where,
      double expected,
      double first,
      double second,
      double bound,
      String replay) {}

  public Comparison {
    differences = List.copyOf(differences);
  }

  /// Cases that both ran.
  public long cases() {
    return differences.stream().mapToLong(Difference::cases).sum();
  }

  /// Whether something was compared, and both kept their bounds.
  public boolean green() {
    return cases() > 0 && differences.stream().allMatch(d -> d.broken().isEmpty());
  }
}

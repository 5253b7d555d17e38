package dev.quern.conformance;

import dev.quern.conformance.catalog.ProviderRules;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// One rule on one subject and one class of shapes.
///
/// @param rule the rule's id
/// @param name what is checked of it: `exact_f32`
/// @param operator the operator, and `provider` for the rules of no operator
/// @param subject for example `Q4_0 int8-sym-32`
/// @param shapeClass for example `2-8 rows`
/// @param tries cases tried: passes + failures + skips
/// @param passes cases that kept the rule
/// @param failures cases that broke it
/// @param skips cases that were declined or of which the rule says nothing, by reason
/// @param worstRatio the worst error against its bound among all cases; 0 where there is no bound
/// @param worstCase the replay string of that case; empty where there is no bound
/// @param firstFailure the first failure, shrunk
/// @since 0.1
/// @stability api
public record CellResult(
    String rule,
    String name,
    String operator,
    String subject,
    String shapeClass,
    int tries,
    int passes,
    int failures,
    Map<String, Integer> skips,
    double worstRatio,
    String worstCase,
    Optional<Failure> firstFailure) {

  public CellResult {
    skips = Map.copyOf(skips);
  }

  /// This and another one of the same rule, subject and class of shapes, counted together.
  CellResult plus(CellResult other) {
    Map<String, Integer> all = new LinkedHashMap<>(skips);
    other.skips.forEach((reason, count) -> all.merge(reason, count, Integer::sum));
    boolean worse = other.worstRatio > worstRatio;
    return new CellResult(
        rule,
        name,
        operator,
        subject,
        shapeClass,
        tries + other.tries,
        passes + other.passes,
        failures + other.failures,
        all,
        worse ? other.worstRatio : worstRatio,
        worse ? other.worstCase : worstCase,
        firstFailure.or(other::firstFailure));
  }

  /// A result of no case, with a failure that [#plus] adds to another.
  CellResult onlyFailure(Failure failure) {
    return new CellResult(
        rule, name, operator, subject, shapeClass, 0, 0, 0, Map.of(), 0, "", Optional.of(failure));
  }

  /// The name of what is checked: `L5_exact_f32`.
  public String testName() {
    return rule + "_" + name;
  }

  /// The name of the test that it belongs to, unique in the whole suite: see [#title(String,
  /// String, String, String)].
  public String title() {
    return title(rule, name, operator, subject);
  }

  /// The name of a rule's test on a subject: `L5_exact_f32 [Q4_0 exact-f32]`. Rules that several
  /// operators share name the operator: `P7_stays_in_bounds [rmsnorm F32]`.
  static String title(String rule, String name, String operator, String subject) {
    String test = rule + "_" + name;
    boolean shared = rule.startsWith("P") || rule.equals(ProviderRules.SUPPORT);
    return operator.equals("provider")
        ? test
        : String.format(Locale.ROOT, "%s [%s]", test, shared ? operator + " " + subject : subject);
  }
}

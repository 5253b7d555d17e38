package dev.quern.conformance;

import dev.quern.conformance.judge.Outcome;
import java.util.List;
import java.util.Locale;

/// A case that broke a rule, as small as shrinking made it.
///
/// @param rule the rule's id
/// @param text what SPEC.md says
/// @param provider the provider's name
/// @param operator the operator, and `provider` for the rules of no operator
/// @param subject what of it: `Q4_0 int8-sym-32`
/// @param outcome where, expected, actual, bound
/// @param inputs the operands, summarised
/// @param replay `rule/operator:case`, which `quern.conformance.replay` takes
/// @param original the case as it was found, before shrinking; equal to `replay` if it did not
///   shrink
/// @param seed the run's
/// @since 0.1
/// @stability api
public record Failure(
    String rule,
    String text,
    String provider,
    String operator,
    String subject,
    Outcome.Fail outcome,
    List<String> inputs,
    String replay,
    String original,
    long seed) {

  public Failure {
    inputs = List.copyOf(inputs);
  }

  /// The whole report of a failure, several lines, for who runs the suite with JUnit.
  public String message() {
    return message("-Dquern.conformance.replay=");
  }

  /// The whole report of a failure, several lines.
  ///
  /// @param how what stands before the replay string: an option, or a command
  public String message(String how) {
    StringBuilder s = new StringBuilder();
    s.append(
        String.format(
            Locale.ROOT, "%s broken by provider %s: %s %s%n", rule, provider, operator, subject));
    line(s, "rule", text);
    line(s, "where", outcome.where());
    line(s, "expected", outcome.expected());
    line(s, "actual", outcome.actual());
    if (!outcome.bound().isEmpty()) {
      line(
          s,
          "bound",
          String.format(Locale.ROOT, "%s (%.3g x the bound)", outcome.bound(), outcome.ratio()));
    }
    inputs.forEach(i -> line(s, "input", i));
    if (!replay.isEmpty()) {
      line(s, "replay", how + replay);
    }
    if (!original.equals(replay)) {
      line(s, "found as", original);
    }
    line(s, "seed", Long.toString(seed));
    return s.toString().stripTrailing();
  }

  private static void line(StringBuilder s, String name, String value) {
    s.append(String.format(Locale.ROOT, "  %-9s %s%n", name, value));
  }
}

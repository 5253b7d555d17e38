package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.catalog.ProviderRules;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.Subject;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/// One case of one rule, from the line that a failure printed: `RULE/OPERATOR:CASE`, where RULE is
/// `L5_exact_f32`, or `L5` for the first check of that rule.
///
/// @param <C> the operator's cases
/// @since 0.1
/// @stability api
public record Replay<C extends Record & Case>(OperatorSuite<C> suite, Rule<C> rule, C value) {

  /// The operator that a replay names.
  ///
  /// @throws IllegalArgumentException if there is no such operator
  static String operator(String text) {
    String name = text.substring(slash(text) + 1, text.indexOf(':'));
    List<String> known = SuiteCatalog.operators().stream().map(OperatorSuite::name).toList();
    if (!known.contains(name)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "replay '%s': no operator '%s', expected one of %s", text, name, known));
    }
    return name;
  }

  /// The replay, if it is one of this operator and of a rule.
  ///
  /// @param rule its id
  /// @throws IllegalArgumentException if it is one, and its check or case can't be read
  static <C extends Record & Case> Optional<Replay<C>> find(
      String text, String rule, OperatorSuite<C> suite) {
    String name = text.substring(0, slash(text));
    return name.equals(rule) || name.startsWith(rule + "_") ? find(text, suite) : Optional.empty();
  }

  private static int slash(String text) {
    int slash = text.indexOf('/');
    if (slash < 0 || text.indexOf(':') < slash) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "replay '%s', expected RULE/OPERATOR:CASE as a failure prints it",
              text));
    }
    return slash;
  }

  /// The replay, if it is one of this operator.
  ///
  /// @throws IllegalArgumentException if it is one, and its rule or case can't be read
  static <C extends Record & Case> Optional<Replay<C>> find(String text, OperatorSuite<C> suite) {
    int slash = slash(text);
    int colon = text.indexOf(':');
    if (!text.substring(slash + 1, colon).equals(suite.name())) {
      return Optional.empty();
    }
    String name = text.substring(0, slash);
    List<Rule<C>> rules =
        Stream.concat(suite.rules().stream(), ProviderRules.offers(suite).stream()).toList();
    Rule<C> rule =
        rules.stream()
            .filter(r -> r.testName().equals(name) || r.id().equals(name))
            .findFirst()
            .orElseThrow(() ->
                new IllegalArgumentException(
                    String.format(
                        Locale.ROOT,
                        "replay: no rule %s of %s, expected one of %s",
                        name,
                        suite.name(),
                        rules.stream().map(Rule::testName).toList())));
    C value = CaseText.parse(suite.caseType(), text.substring(colon + 1));
    return Optional.of(new Replay<>(suite, rule, value));
  }

  /// Checks the case as it is, with nothing generated and nothing shrunk.
  List<CellResult> run(Target target, Settings settings) {
    Rule<C> exact = rule.on(c -> c).in(Rule.Space.ORDINARY).effort(new Rule.Effort(1, 0));
    Subject<C> subject = Subject.ordinary("replay", List.of(value));
    return new PropertyRunner<>(suite, subject, exact, target, settings).run();
  }

  @Override
  public String toString() {
    return rule.testName() + "/" + suite.name() + ":" + CaseText.write(value);
  }
}

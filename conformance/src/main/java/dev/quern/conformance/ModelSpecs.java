package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.SpecCases;
import dev.quern.conformance.rules.Subject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// The specs of models, each once, tried at their exact sizes beside what the suite tries.
final class ModelSpecs {
  /// The check that looks at a large call in all ways.
  private static final String JUDGE = "P5_model_sizes";

  private final Plan plan;
  private final Settings settings;
  private final Map<ModelResult, SpecCases> specs = new LinkedHashMap<>();
  private final List<ModelResult> ran = new ArrayList<>();

  /// @throws IllegalArgumentException if a spec can't be tried
  ModelSpecs(Plan plan, Settings settings) {
    this.plan = plan;
    this.settings = settings;
    SpecCases.Budget budget = SpecCases.Budget.of(settings.tries());
    for (ModelKernel kernel : plan.models().stream().distinct().toList()) {
      SpecCases s = SuiteCatalog.specCases(kernel.wanted(budget, settings.seed()));
      String subject = String.format(Locale.ROOT, "%s: %s", kernel.model(), s.spec());
      specs.put(
          new ModelResult(kernel.model(), s.operator(), subject, s.spec(), s.tried(), s.tooLarge()),
          s);
    }
  }

  /// Tries those of an operator.
  <C extends Record & Case> void run(
      OperatorSuite<C> suite, Target target, Consumer<CellResult> add) {
    Rule<C> large =
        suite.rules().stream().filter(r -> r.testName().equals(JUDGE)).findFirst().orElseThrow();
    Rule.Effort each = new Rule.Effort(Integer.MAX_VALUE, 0, false, 0, large.effort().limit());
    Rule<C> judge = plan.coverage().watching(suite, large.effort(each));
    specs.forEach((spec, made) -> {
      if (spec.operator().equals(suite.name())) {
        ran.add(spec);
        List<C> cases = made.cases().stream().map(suite.caseType()::cast).toList();
        Subject<C> subject = Subject.<C>ordinary(spec.subject(), cases).withModelSizes(cases);
        plan.steps()
            .run(
                Suite.step(suite, subject, judge),
                () ->
                    cases.isEmpty()
                        ? List.of(notTried(spec, judge))
                        : new PropertyRunner<>(suite, subject, judge, target, settings).run())
            .forEach(add);
      }
    });
  }

  private static CellResult notTried(ModelResult spec, Rule<?> rule) {
    return new CellResult(
        rule.id(),
        rule.name(),
        spec.operator(),
        spec.subject(),
        "all",
        1,
        0,
        0,
        Map.of("too large to try: " + String.join("; ", spec.tooLarge()), 1),
        0,
        "",
        Optional.empty());
  }

  /// All of them, tried or not.
  List<ModelResult> all() {
    return List.copyOf(specs.keySet());
  }

  /// Those of the operators that [#run] was called for.
  List<ModelResult> results() {
    return List.copyOf(ran);
  }
}

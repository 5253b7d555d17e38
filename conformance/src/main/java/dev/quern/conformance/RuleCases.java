package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.Mix;
import dev.quern.conformance.rules.ModelSizes;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.Subject;
import dev.quern.conformance.run.Sessions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import net.jqwik.api.RandomGenerator;
import net.jqwik.api.Shrinkable;

/// The cases that a rule is checked with on a subject: the fixed edges, then generated ones.
record RuleCases<C extends Record & Case>(Subject<C> subject, Rule<C> rule, Settings settings) {
  /// How many there are.
  int count() {
    int edges = edges().size();
    return edges == 0 ? 0 : edges + tries();
  }

  /// The fixed ones, tried before all others.
  List<C> edges() {
    List<C> edges = atModelSizes() ? largeEdges() : subject.edges();
    return edges.stream()
        .map(rule.shape())
        .distinct()
        .limit(rule.effort().edges(edges.size(), settings.tries()))
        .toList();
  }

  /// In a quick run one of those that reach beyond all models, which one by the subject: each takes
  /// as long as a hundred ordinary cases. Those of a certain model ([ModelSpecs]) are not heavy,
  /// and all tried.
  private List<C> largeEdges() {
    List<C> all = subject.modelSizes().get().edges();
    return rule.effort().heavy()
            && settings.tries() <= Settings.QUICK_TRIES
            && all.size() > ModelSizes.BEYOND_MODELS
        ? List.of(all.get(Math.floorMod(subject.label().hashCode(), ModelSizes.BEYOND_MODELS)))
        : all;
  }

  /// Whether they have the sizes of real models.
  boolean atModelSizes() {
    return rule.space() == Rule.Space.MODEL_SIZES;
  }

  private Stream<C> generated() {
    if (!atModelSizes()) {
      return drawn(tries()).stream().map(Drawn::value);
    }
    Mix mix = new Mix(settings.seed(), rule.testName() + subject.label());
    Function<Mix, C> drawn = subject.modelSizes().get().drawn();
    return edges().isEmpty() // what has no edges there has nothing there
        ? Stream.empty()
        : Stream.generate(() -> rule.shape().apply(drawn.apply(mix))).limit(tries());
  }

  /// What is tried, one after the other.
  Stream<C> all() {
    return Stream.concat(edges().stream(), generated());
  }

  /// How many are generated.
  int tries() {
    return (int) Math.ceil(settings.tries() * rule.effort().share());
  }

  /// A generated case: what it is, and how it shrinks. Both are for a session to ask.
  record Drawn<C>(C value, Shrinkable<C> shrinkable) {}

  /// Generates so many.
  List<Drawn<C>> drawn(int tries) {
    List<Drawn<C>> drawn = new ArrayList<>();
    Sessions.run(() -> {
      RandomGenerator<C> generator =
          subject.cases().get().map(rule.shape()::apply).generator(1000, true);
      Random random =
          new Random(new Mix(settings.seed(), rule.testName() + subject.label()).next());
      for (int i = 0; i < tries; i++) {
        Shrinkable<C> next = generator.next(random);
        drawn.add(new Drawn<>(next.value(), next));
      }
    });
    return drawn;
  }
}

package dev.quern.llama.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/// The sampler against its own definition, written without regard to speed.
class SamplingChainTest {
  private static final int VOCABULARY = 24;

  @Property(edgeCases = EdgeCasesMode.NONE)
  void equalsTheDefinition(
      @ForAll("options") SamplingOptions options, @ForAll("logits") List<Float> first) {
    Sampler sampler = new Sampler(options, VOCABULARY);
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(options.seed());
    List<Integer> history = new ArrayList<>();
    for (int step = 0; step < 12; step++) {
      float[] logits = logits(first, step);
      int expected = next(options, logits.clone(), history, random);
      assertEquals(expected, sampler.next(logits), "step " + step);
      history.add(expected);
    }
  }

  /// Of a model that agrees, guesses are what is chosen then, and whatever is guessed changes
  /// nothing.
  @Property(edgeCases = EdgeCasesMode.NONE)
  void guessesAreWhatIsChosenThen(
      @ForAll("options") SamplingOptions options,
      @ForAll("logits") List<Float> first,
      @ForAll long seed) {
    Sampler sampler = new Sampler(options, VOCABULARY);
    Sampler alone = new Sampler(options, VOCABULARY);
    Random lengths = new Random(seed);
    for (int step = 0; step < 30; ) {
      List<Integer> right = new ArrayList<>();
      for (int i = lengths.nextInt(5); i > 0; i--) {
        right.add(sampler.guess(logits(first, step + right.size())));
      }
      sampler.withdraw();
      for (int i = lengths.nextInt(3); i > 0; i--) {
        sampler.guess(logits(first, lengths.nextInt(100))); // of one that does not
      }
      sampler.withdraw();
      for (int i = 0; i <= right.size(); i++) {
        int expected = alone.next(logits(first, step));
        assertEquals(expected, sampler.next(logits(first, step)), "step " + step);
        if (i < right.size()) {
          assertEquals(expected, right.get(i), "the guess of step " + step);
        }
        step++;
      }
    }
  }

  @Test
  void whoHasGuessedChoosesNothing() {
    Sampler sampler = new Sampler(SamplingOptions.standard(1), VOCABULARY);
    sampler.guess(new float[VOCABULARY]);
    assertThrows(IllegalStateException.class, () -> sampler.next(new float[VOCABULARY]));
  }

  private static float[] logits(List<Float> first, int step) {
    float[] logits = new float[VOCABULARY];
    for (int i = 0; i < VOCABULARY; i++) {
      logits[i] = first.get((i + step) % VOCABULARY);
    }
    return logits;
  }

  @Provide
  Arbitrary<SamplingOptions> options() {
    return Combinators.combine(
            Arbitraries.of(0.0, 0.3, 0.8, 1.0, 3.0),
            Arbitraries.of(0, 1, 2, 5, 23, 24, 40),
            Arbitraries.of(0.01, 0.3, 0.5, 0.95, 1.0),
            Arbitraries.of(0.0, 0.05, 0.4, 1.0),
            Arbitraries.of(0.5, 1.0, 1.1, 3.0),
            Arbitraries.of(0, 1, 3, 64),
            Arbitraries.longs())
        .as(SamplingOptions::new)
        .flatMap(options ->
            Combinators.combine(
                    Arbitraries.of(-1.5, 0.0, 0.0, 0.25, 2.0),
                    Arbitraries.of(-2.0, 0.0, 0.0, 0.75),
                    Arbitraries.of(0.02, 0.37, 0.61, 0.93, 1.0, 1.0),
                    Arbitraries.maps(
                            Arbitraries.integers().between(0, VOCABULARY - 1),
                            Arbitraries.of(-3.0, 0.1, 2.25, Double.NEGATIVE_INFINITY))
                        .ofMaxSize(VOCABULARY - 1))
                .as((frequency, presence, typical, bias) ->
                    options
                        .withPenalties(frequency, presence)
                        .withTypicalP(typical)
                        .withLogitBias(bias)));
  }

  /// Coarse, so that many logits are equal.
  @Provide
  Arbitrary<List<Float>> logits() {
    return Arbitraries.integers().between(-12, 12).map(i -> i / 4f).list().ofSize(VOCABULARY);
  }

  private static int next(
      SamplingOptions o, float[] logits, List<Integer> history, RandomGenerator random) {
    o.logitBias().forEach((token, bias) -> logits[token] = (float) (logits[token] + bias));
    List<Integer> lately =
        history.subList(Math.max(0, history.size() - o.repeatLastN()), history.size());
    for (int t : Set.copyOf(lately)) {
      float repeat = (float) o.repeatPenalty();
      float logit = logits[t] > 0 ? logits[t] / repeat : logits[t] * repeat;
      int count = Collections.frequency(lately, t);
      logits[t] = (float) (logit - (count * o.frequencyPenalty() + o.presencePenalty()));
    }
    List<Integer> tokens = new ArrayList<>();
    for (int i = 0; i < logits.length; i++) {
      tokens.add(i);
    }
    tokens.sort(Comparator.comparing((Integer t) -> -logits[t])); // stable
    if (o.temperature() == 0) {
      return tokens.getFirst();
    }
    if (o.topK() > 0 && o.topK() < tokens.size()) {
      tokens = tokens.subList(0, o.topK());
    }
    if (o.typicalP() < 1) {
      tokens = typical(tokens, logits, o.typicalP());
    }
    if (o.topP() < 1) {
      List<Double> p = softmax(tokens, logits, 1);
      double sum = 0;
      int kept = 0;
      while (kept < tokens.size() && sum < o.topP() * total(p)) {
        sum += p.get(kept++);
      }
      tokens = tokens.subList(0, kept);
    }
    if (o.minP() > 0) {
      float best = logits[tokens.getFirst()];
      tokens = tokens.stream().filter(t -> logits[t] >= best + StrictMath.log(o.minP())).toList();
    }
    List<Double> p = softmax(tokens, logits, o.temperature());
    double target = random.nextDouble() * total(p);
    double sum = 0;
    for (int i = 0; i < tokens.size(); i++) {
      sum += p.get(i);
      if (sum > target) {
        return tokens.get(i);
      }
    }
    return tokens.getLast();
  }

  /// By the logits' distance from their mean, which is the information's from the entropy:
  /// CandidatesTest compares with that.
  private static List<Integer> typical(List<Integer> tokens, float[] logits, double typicalP) {
    List<Double> p = softmax(tokens, logits, 1);
    double best = logits[tokens.getFirst()];
    double sum = 0;
    for (int i = 0; i < tokens.size(); i++) {
      sum += p.get(i) == 0 ? 0 : p.get(i) * (logits[tokens.get(i)] - best);
    }
    double mean = best + sum / total(p);
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      places.add(i);
    }
    places.sort(Comparator.comparing(i -> Math.abs(logits[tokens.get(i)] - mean))); // stable
    double kept = 0;
    int count = 0;
    while (count < places.size() && kept <= typicalP * total(p)) {
      kept += p.get(places.get(count++));
    }
    return places.subList(0, count).stream().sorted().map(tokens::get).toList();
  }

  private static List<Double> softmax(List<Integer> tokens, float[] logits, double temperature) {
    double best = logits[tokens.getFirst()];
    return tokens.stream().map(t -> StrictMath.exp((logits[t] - best) / temperature)).toList();
  }

  private static double total(List<Double> values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }
}

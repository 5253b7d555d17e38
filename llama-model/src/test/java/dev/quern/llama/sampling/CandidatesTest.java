package dev.quern.llama.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The filters against their papers, and against the distributions of llama.cpp's
/// `tests/test-sampling.cpp`, whose numbers these are.
class CandidatesTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          top-k   | 1    | 0.1 0.2 0.3 0.4     | 3
          top-k   | 3    | 0.1 0.2 0.3 0.4     | 3 2 1
          top-k   | 4    | 0.4 0.3 0.2 0.1     | 0 1 2 3
          top-p   | 0.7  | 0.1 0.2 0.3 0.4     | 3 2
          top-p   | 0.8  | 0.1 0.2 0.3 0.4     | 3 2 1
          top-p   | 1    | 0.1 0.2 0.3 0.4     | 3 2 1 0
          min-p   | 0.24 | 0.1 0.2 0.3 0.4     | 3 2 1 0
          min-p   | 0.26 | 0.1 0.2 0.3 0.4     | 3 2 1
          min-p   | 0.49 | 0.1 0.2 0.3 0.4     | 3 2 1
          min-p   | 0.51 | 0.1 0.2 0.3 0.4     | 3 2
          min-p   | 0.74 | 0.1 0.2 0.3 0.4     | 3 2
          min-p   | 0.76 | 0.1 0.2 0.3 0.4     | 3
          min-p   | 1    | 0.1 0.2 0.3 0.4     | 3
          typical | 0.5  | 0.97 0.01 0.01 0.01 | 0
          typical | 0.5  | 0.4 0.2 0.2 0.2     | 1 2 3
          """)
  void keepsWhatLlamaCppKeeps(String filter, double value, String distribution, String expected) {
    double[] p = numbers(distribution);
    Candidates candidates = candidates(p, filter.equals("top-k") ? (int) value : p.length);
    switch (filter) {
      case "top-p" -> candidates.topP(value);
      case "min-p" -> candidates.minP(value);
      case "typical" -> candidates.typical(value);
      default -> {}
    }
    List<Integer> ids = Arrays.stream(numbers(expected)).mapToObj(id -> (int) id).toList();
    assertEquals(ids, kept(candidates));
  }

  /// @param lately tokens
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          50 | 0 | 0         | 0 0.25 0.25 0.25 0.25
          50 | 0 | 0 1 2     | 0 0 0 0.5 0.5
          50 | 0 | 0 1 2 0 0 | 0 0 0 0.5 0.5
          1  | 5 | 0         | 0.000011 0.249997 0.249997 0.249997 0.249997
          1  | 5 | 0 1 2     | 0.000023 0.000023 0.000023 0.499966 0.499966
          1  | 5 | 0 1 2 0 0 | 0.000000 0.000023 0.000023 0.499977 0.499977
          """)
  void penalizesAsLlamaCpp(double repeat, double others, String lately, String expected) {
    double[] tokens = numbers(lately);
    History history = new History(tokens.length, 5);
    Arrays.stream(tokens).forEach(token -> history.add((int) token));
    float[] logits = new float[5];
    Arrays.fill(logits, (float) Math.log(0.2));
    history.penalize(
        logits,
        new SamplingOptions(1, 0, 1, 0, repeat, tokens.length, 0).withPenalties(others, others));
    double[] p = numbers(expected);
    double sum = IntStream.range(0, 5).mapToDouble(i -> Math.exp(logits[i])).sum();
    for (int i = 0; i < 5; i++) {
      assertEquals(p[i], Math.exp(logits[i]) / sum, 1e-5, "token " + i);
    }
  }

  /// Meister et al., equation 6 and its algorithm, in double: by `|-log p - entropy|`.
  @Property
  void typicalIsThePapers(
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 60) int tokens,
      @ForAll @DoubleRange(min = 0.01, max = 0.99) double wanted,
      @ForAll @DoubleRange(min = 0.1, max = 20) double spread) {
    Random random = new Random(seed);
    float[] logits = new float[tokens];
    for (int i = 0; i < tokens; i++) {
      logits[i] = (float) (random.nextGaussian() * spread);
    }
    double sum = IntStream.range(0, tokens).mapToDouble(i -> Math.exp(logits[i])).sum();
    double[] p = IntStream.range(0, tokens).mapToDouble(i -> Math.exp(logits[i]) / sum).toArray();
    double entropy = Arrays.stream(p).map(x -> -x * Math.log(x)).sum();
    List<Integer> expected = new ArrayList<>();
    double kept = 0;
    for (int id :
        IntStream.range(0, tokens)
            .boxed()
            .sorted(Comparator.comparing(i -> Math.abs(-Math.log(p[i]) - entropy)))
            .toList()) {
      if (kept <= wanted) {
        kept += p[id];
        expected.add(id);
      }
    }
    expected.sort(Comparator.comparing(id -> -logits[id]));
    Candidates candidates = new Candidates(tokens);
    candidates.setTopK(logits, tokens);
    candidates.typical(wanted);
    assertEquals(expected, kept(candidates));
  }

  @Test
  void ofEquallyTypicalTokensTheLowestIdsAreKept() {
    Candidates flat = candidates(new double[] {1, 1, 1, 1, 1}, 5);
    flat.typical(0.5);
    assertEquals(List.of(0, 1, 2), kept(flat));
    Candidates half = candidates(new double[] {1, 1, 1, 1}, 4);
    half.typical(0.5); // two have no more than that
    assertEquals(List.of(0, 1, 2), kept(half));
    Candidates before = candidates(new double[] {0.24, 0.24, 0.24, 0.24, 0.04}, 5);
    before.typical(0.3);
    assertEquals(List.of(0, 1), kept(before));
    Candidates behind = candidates(new double[] {0.76, 0.08, 0.08, 0.08}, 4);
    behind.typical(0.8);
    assertEquals(List.of(0, 1), kept(behind));
  }

  @Test
  void forbiddenTokensAreNotTypical() {
    Candidates candidates = candidates(new double[] {0, 0.5, 0, 0.5}, 4);
    candidates.typical(0.9);
    assertEquals(List.of(1, 3), kept(candidates));
  }

  private static Candidates candidates(double[] p, int k) {
    float[] logits = new float[p.length];
    for (int i = 0; i < p.length; i++) {
      logits[i] = (float) Math.log(p[i]);
    }
    Candidates candidates = new Candidates(p.length);
    candidates.setTopK(logits, k);
    return candidates;
  }

  private static List<Integer> kept(Candidates candidates) {
    return IntStream.range(0, candidates.size()).mapToObj(candidates::token).toList();
  }

  private static double[] numbers(String text) {
    return Arrays.stream(text.trim().split(" +")).mapToDouble(Double::parseDouble).toArray();
  }
}

package dev.quern.llama.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class LogProbabilitiesTest {
  private static final float MINUS_INFINITY = Float.NEGATIVE_INFINITY;

  /// Against `log(exp(logit) / sum of exps)`, whose sum is exact.
  @Property(tries = 300)
  void equalTheDefinition(
      @ForAll long seed,
      @ForAll @IntRange(min = 1, max = 400) int vocabulary,
      @ForAll @IntRange(min = 0, max = 30) int top) {
    Random random = new Random(seed);
    float[] logits = new float[vocabulary];
    BigDecimal sum = BigDecimal.ZERO;
    for (int i = 0; i < vocabulary; i++) {
      logits[i] = Math.round(random.nextGaussian() * 32) / 8f; // some are equal
      sum = sum.add(new BigDecimal(Math.exp(logits[i])), MathContext.DECIMAL128);
    }
    double logSum = Math.log(sum.doubleValue());
    int token = random.nextInt(vocabulary);
    LogProbabilities actual = LogProbabilities.of(logits, token, top);
    assertEquals(token, actual.chosen().token());
    assertEquals(logits[token] - logSum, actual.chosen().logProbability(), 1e-13);
    List<Integer> likeliest =
        IntStream.range(0, vocabulary)
            .boxed()
            .sorted(Comparator.comparing(i -> -logits[i])) // stable
            .limit(top)
            .toList();
    assertEquals(likeliest, actual.top().stream().map(TokenLogProbability::token).toList());
    for (TokenLogProbability t : actual.top()) {
      assertEquals(logits[t.token()] - logSum, t.logProbability(), 1e-13);
    }
  }

  @Test
  void extremesNeitherOverflowNorVanish() {
    LogProbabilities even = LogProbabilities.of(new float[] {3e38f, 3e38f}, 1, 0);
    assertEquals(-Math.log(2), even.chosen().logProbability(), 1e-16);
    LogProbabilities far = LogProbabilities.of(new float[] {-1000, 1000}, 0, 9);
    assertEquals(-2000, far.chosen().logProbability());
    assertEquals(
        List.of(new TokenLogProbability(1, 0), new TokenLogProbability(0, -2000)), far.top());
    LogProbabilities forbidden =
        LogProbabilities.of(new float[] {MINUS_INFINITY, 0, MINUS_INFINITY}, 1, 3);
    assertEquals(List.of(new TokenLogProbability(1, 0)), forbidden.top());
  }

  @Test
  void argumentsAreChecked() {
    float[] logits = {1, 2};
    assertThrows(IllegalArgumentException.class, () -> LogProbabilities.of(logits, 2, 1));
    assertThrows(IllegalArgumentException.class, () -> LogProbabilities.of(logits, -1, 1));
    assertThrows(IllegalArgumentException.class, () -> LogProbabilities.of(logits, 0, -1));
    assertEquals(2, LogProbabilities.of(logits, 0, Integer.MAX_VALUE).top().size());
  }
}

package dev.quern.llama.sampling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Of some tokens only, the sampler chooses as if the others had a bias of -Infinity.
class AllowedTokensTest {
  private static final int VOCABULARY = 200; // more than three words of a mask

  @Test
  void othersAreForbidden() {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 300; i++) {
      long[] mask = new long[i % 5 == 0 ? 2 : 4]; // one that is too short allows no more
      for (int w = 0; w < mask.length; w++) {
        mask[w] =
            switch (random.nextInt(4)) {
              case 0 -> 0;
              case 1 -> -1;
              default -> random.nextLong();
            };
      }
      mask[1] |= 4;
      Map<Integer, Double> forbidden = new HashMap<>();
      for (int t = 0; t < VOCABULARY; t++) {
        if (t / 64 >= mask.length || (mask[t / 64] >>> t & 1) == 0) {
          forbidden.put(t, Double.NEGATIVE_INFINITY);
        }
      }
      SamplingOptions options =
          new SamplingOptions(i % 3 * 0.5, i % 7, 0.9, 0.05, 1.1, 8, i).withPenalties(0.5, 0.1);
      Sampler masked = new Sampler(options, VOCABULARY);
      Sampler biased = new Sampler(options.withLogitBias(forbidden), VOCABULARY);
      for (int step = 0; step < 10; step++) {
        float[] logits = new float[VOCABULARY];
        for (int t = 0; t < VOCABULARY; t++) {
          logits[t] = random.nextInt(-20, 20) / 4f;
        }
        assertEquals(
            biased.next(logits), masked.next(MemorySegment.ofArray(logits), mask), "mask " + i);
      }
    }
  }

  @Test
  void brokenLogitsOfForbiddenTokensAreSeen() {
    float[] logits = new float[VOCABULARY];
    logits[150] = Float.NaN;
    Sampler sampler = new Sampler(SamplingOptions.GREEDY, VOCABULARY);
    assertThrows(
        LogitsException.class,
        () -> sampler.next(MemorySegment.ofArray(logits), new long[] {1, 0, 0, 0}));
    logits[150] = 0;
    assertEquals(0, sampler.next(MemorySegment.ofArray(logits), new long[] {1, 0, 0, 0}));
    assertThrows(
        LogitsException.class,
        () -> sampler.next(MemorySegment.ofArray(logits), new long[] {0, 0, 0, 0}));
  }
}

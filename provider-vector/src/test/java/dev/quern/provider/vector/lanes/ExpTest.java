package dev.quern.provider.vector.lanes;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/// The exponential function against `Math.exp` in double precision.
class ExpTest {
  private static final int COUNT = 4096;

  /// About 12 million floats, all over the range where the result is normal.
  @Test
  void isWithinTwoUlp() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(4L * COUNT);
      MemorySegment y = arena.allocate(4L * COUNT);
      float value = -87.3f;
      while (value < 88.7f) {
        for (int i = 0; i < COUNT; i++) {
          x.setAtIndex(JAVA_FLOAT, i, value);
          // Every 50th float, but near zero, where there are the most, in steps.
          value = Math.max(value + 1e-5f, value + 50 * Math.ulp(value));
        }
        Exp.exp(x, 0, 1, 0, y, 0, COUNT);
        for (int i = 0; i < COUNT; i++) {
          float argument = x.getAtIndex(JAVA_FLOAT, i);
          double exact = Math.exp(argument);
          if (exact <= Float.MAX_VALUE) {
            double ulps = Math.abs(y.getAtIndex(JAVA_FLOAT, i) - exact) / Math.ulp((float) exact);
            assertTrue(
                ulps <= 2, String.format(Locale.ROOT, "exp(%s): off by %.2f ulp", argument, ulps));
          }
        }
      }
    }
  }

  /// The same for softmax weights, whose arguments are not positive. The product is rounded, so the
  /// exact side takes it rounded.
  @Test
  void weightsAreWithinTwoUlpAndSummed() {
    try (Arena arena = Arena.ofConfined()) {
      long sums = 4L * COUNT;
      MemorySegment x = arena.allocate(sums + Lanes.BYTES);
      float factor = 0.3f;
      float offset = -1.5f;
      float value = -285;
      while (value < 5) {
        float[] arguments = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
          arguments[i] = factor * value + offset;
          x.setAtIndex(JAVA_FLOAT, i, value);
          value = Math.max(value + 1e-5f, value + 50 * Math.ulp(value));
        }
        Exp.weights(x, 0, factor, offset, COUNT, sums);
        double total = 0;
        for (int i = 0; i < COUNT; i++) {
          double exact = Math.exp(arguments[i]);
          total += exact;
          double error = Math.abs(x.getAtIndex(JAVA_FLOAT, i) - exact);
          double bound = exact < Float.MIN_NORMAL ? exact : 2 * Math.ulp((float) exact);
          assertTrue(
              error <= bound,
              String.format(Locale.ROOT, "exp(%s): off by %g", arguments[i], error));
        }
        double sum = 0;
        for (int l = 0; l < Lanes.L; l++) {
          sum += x.getAtIndex(JAVA_FLOAT, COUNT + l);
        }
        assertEquals(total, sum, COUNT * 0x1p-24 * total);
      }
    }
  }

  @Test
  void weightsOfExtremesAreAsTheyShouldBe() {
    float inf = Float.POSITIVE_INFINITY;
    assertEquals(0, weight(-inf));
    assertEquals(0, weight(-Float.MAX_VALUE));
    assertEquals(0, weight(-88));
    assertEquals(1, weight(0));
    assertTrue(Float.isNaN(weight(Float.NaN)));
  }

  private static float weight(float x) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = arena.allocate(2 * Lanes.BYTES);
      for (int i = 0; i < Lanes.L; i++) {
        s.setAtIndex(JAVA_FLOAT, i, x);
      }
      Exp.weights(s, 0, 1, 0, Lanes.L, Lanes.BYTES);
      return s.getAtIndex(JAVA_FLOAT, Lanes.L - 1);
    }
  }

  @Test
  void extremesAreAsTheyShouldBe() {
    float inf = Float.POSITIVE_INFINITY;
    assertEquals(0, exp(-inf));
    assertEquals(0, exp(-Float.MAX_VALUE));
    assertEquals(0, exp(-104.5f));
    assertEquals(inf, exp(inf));
    assertEquals(inf, exp(Float.MAX_VALUE));
    assertEquals(inf, exp(88.8f));
    assertEquals(1, exp(0f));
    assertEquals(1, exp(-0f));
    assertEquals(1, exp(Float.MIN_VALUE));
    assertTrue(Float.isNaN(exp(Float.NaN)));
    assertEquals(Math.exp(-100), exp(-100), Float.MIN_VALUE); // subnormal
  }

  private static float exp(float x) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = arena.allocate(Lanes.BYTES);
      for (int i = 0; i < Lanes.L; i++) {
        s.setAtIndex(JAVA_FLOAT, i, x);
      }
      Exp.exp(s, 0, 1, 0, s, 0, Lanes.L);
      return s.getAtIndex(JAVA_FLOAT, Lanes.L - 1);
    }
  }
}

package dev.quern.provider.vector.lanes;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/// The soft cap against `Math.tanh` in double precision.
class TanhTest {
  private static final int COUNT = 4096;

  /// About 10 million floats of either sign, from the smallest normal ones to where tanh is 1.
  @Test
  void isWithinFourUlp() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(4L * COUNT);
      float[] arguments = new float[COUNT];
      float value = Float.MIN_NORMAL;
      while (value < 12) {
        for (int i = 0; i < COUNT; i++) {
          arguments[i] = i % 2 == 0 ? value : -value;
          x.setAtIndex(JAVA_FLOAT, i, arguments[i]);
          value += (value < 0.01f ? 5000 : 20) * Math.ulp(value);
        }
        Tanh.cap(x, 0, 1, 1, COUNT);
        for (int i = 0; i < COUNT; i++) {
          double exact = Math.tanh(arguments[i]);
          double ulps = Math.abs(x.getAtIndex(JAVA_FLOAT, i) - exact) / Math.ulp((float) exact);
          assertTrue(
              ulps <= 4,
              String.format(Locale.ROOT, "tanh(%s): off by %.2f ulp", arguments[i], ulps));
        }
      }
    }
  }

  @Test
  void extremesAreAsTheyShouldBe() {
    float inf = Float.POSITIVE_INFINITY;
    assertEquals(50, capped(inf, 1, 50));
    assertEquals(-50, capped(-inf, 1, 50));
    assertEquals(50, capped(Float.MAX_VALUE, 3, 50));
    assertEquals(-0.5f, capped(-1000, 1, 0.5f));
    assertEquals(0, capped(0, 1, 50));
    assertTrue(Float.isNaN(capped(Float.NaN, 1, 50)));
    assertEquals(0x1p-126f, capped(1, 1, 0x1p-126f));
    assertEquals(0x1p-100f, capped(0x1p20f, 0x1p-120f, 0x1p-20f), 0x1p-122f);
    assertEquals(0, capped(0, 0x1p126f, 0x1p-126f)); // their quotient is no float
  }

  private static float capped(float x, float factor, float cap) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment s = arena.allocate(Lanes.BYTES);
      for (int i = 0; i < Lanes.L; i++) {
        s.setAtIndex(JAVA_FLOAT, i, x);
      }
      Tanh.cap(s, 0, factor, cap, Lanes.L);
      return s.getAtIndex(JAVA_FLOAT, Lanes.L - 1);
    }
  }
}

package dev.quern.provider.x86.activation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Locale;
import org.junit.jupiter.api.Test;

/// The bound that [Exp] derives, on the reference whose bits its code gives.
class ExpTest {
  private static final double U = 0x1p-24;

  /// Every 97th float of the range.
  @Test
  void withinItsBound() {
    double worst = 0;
    for (float end : new float[] {-87.33f, 88.37f}) {
      for (int bits = 0; bits <= Float.floatToRawIntBits(Math.abs(end)); bits += 97) {
        float x = Math.copySign(Float.intBitsToFloat(bits), end);
        double exact = StrictMath.exp(x);
        worst = Math.max(worst, Math.abs(ActivationReference.exp(x) - exact) / exact);
      }
    }
    assertTrue(worst <= 2 * U, String.format(Locale.ROOT, "%.3f u", worst / U));
    assertTrue(worst > 0.9 * U, "nothing was compared");
  }

  @Test
  void theEdges() {
    assertEquals(1f, ActivationReference.exp(0));
    assertEquals(1f, ActivationReference.exp(-0f));
    for (float x : new float[] {88.5f, 89f, 1e30f, Float.POSITIVE_INFINITY}) {
      assertEquals(Float.POSITIVE_INFINITY, ActivationReference.exp(x));
      assertEquals(0f, ActivationReference.exp(-x));
    }
    assertTrue(Float.isNaN(ActivationReference.exp(Float.NaN)));
  }
}

package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.F;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// The exponential function of a vector: `exp(x) = 2^k * exp(r)` with `k = round(x / ln 2)` and a
/// polynomial of degree 6 in `r = x - k * ln 2`, `abs(r) <= ln(2) / 2` (constants as in Cephes'
/// `expf`). Within 2 ulp wherever the result is normal; a result below the normal range loses bits
/// as it should, one above the range is infinite, NaN stays NaN.
final class Exp {
  private static final float LOG2_E = 1.442695041f;

  /// ln 2 in two parts, the first with so few bits that k times it is exact.
  private static final float LN2_HIGH = 0.693359375f;

  private static final float LN2_LOW = -2.12194440e-4f;

  /// Added to a float of at most 2^22 in magnitude it leaves the nearest integer in the low bits.
  private static final float ROUND = 0x1.8p23f;

  /// exp is 0 below this, and infinite above the other.
  private static final float LOWEST = -104f;

  private static final float HIGHEST = 89f;

  private Exp() {}

  static FloatVector exp(FloatVector v) {
    // Not max and min, which take four instructions for the sake of zeros; NaN compares false.
    FloatVector x = v.blend(LOWEST, v.compare(LT, LOWEST));
    x = x.blend(HIGHEST, x.compare(GT, HIGHEST));
    FloatVector shifted = x.fma(broadcast(LOG2_E), broadcast(ROUND));
    FloatVector k = shifted.sub(ROUND);
    FloatVector r = k.fma(broadcast(-LN2_HIGH), x);
    r = k.fma(broadcast(-LN2_LOW), r);
    IntVector n = shifted.reinterpretAsInts().sub(Float.floatToRawIntBits(ROUND));
    return scale(polynomial(r), n);
  }

  private static FloatVector polynomial(FloatVector r) {
    FloatVector p = broadcast(1.9875691500e-4f);
    p = p.fma(r, broadcast(1.3981999507e-3f));
    p = p.fma(r, broadcast(8.3334519073e-3f));
    p = p.fma(r, broadcast(4.1665795894e-2f));
    p = p.fma(r, broadcast(1.6666665459e-1f));
    p = p.fma(r, broadcast(5.0000001201e-1f));
    return p.fma(r.mul(r), r).add(1f);
  }

  /// p * 2^n for n in -151 .. 129, in two steps, since neither 2^-151 nor 2^129 is a float.
  private static FloatVector scale(FloatVector p, IntVector n) {
    IntVector half = n.lanewise(ASHR, 1);
    return p.mul(power(half)).mul(power(n.sub(half)));
  }

  private static FloatVector power(IntVector n) {
    return n.add(127).lanewise(LSHL, 23).reinterpretAsFloats();
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(F, value);
  }
}

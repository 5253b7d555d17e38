package dev.quern.provider.vector.lanes;

import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// The exponential function: `exp(x) = 2^k * exp(r)` with `k = round(x / ln 2)` and a polynomial of
/// degree 6 in `r = x - k * ln 2`, `abs(r) <= ln(2) / 2` (constants of Cephes' `expf`). Within 2
/// ulp; a result below the normal range loses bits as it should, one above the range is infinite,
/// NaN stays NaN.
public final class Exp {
  static final float LOG2_E = 1.442695041f;

  /// ln 2 in two parts, the first with so few bits that k times it is exact.
  static final float LN2_HIGH = 0.693359375f;

  static final float LN2_LOW = -2.12194440e-4f;

  /// Added to a float of at most 2^22 in magnitude it leaves the nearest integer in the low bits.
  private static final float ROUND = 0x1.8p23f;

  private static final int ROUND_BITS = Float.floatToRawIntBits(ROUND);

  /// As ROUND, and with the exponent's bias in the low bits besides.
  static final float ROUND_BIASED = 0x1.8p23f + 127;

  /// exp is below the normal range below this.
  private static final float LOWEST_NORMAL = -87.33654f;

  /// exp is 0 below this, and infinite above the other.
  private static final float LOWEST = -104f;

  private static final float HIGHEST = 89f;

  private Exp() {}

  /// `dst[i] = exp(factor * src[i] + offset)`. From memory to memory, and in one method: vectors
  /// that are handed to a helper are boxed where C2 does not inline it.
  ///
  /// @param n how many, a multiple of L
  public static void exp(
      MemorySegment source,
      long from,
      float factor,
      float offset,
      MemorySegment target,
      long to,
      int n) {
    MemorySegment src = Lanes.OFF_HEAP.cast(source);
    MemorySegment dst = Lanes.OFF_HEAP.cast(target);
    for (int i = 0; i < n; i += L) {
      FloatVector x =
          FloatVector.fromMemorySegment(F, src, from + 4L * i, LITTLE_ENDIAN)
              .fma(FloatVector.broadcast(F, factor), FloatVector.broadcast(F, offset));
      // Not max and min, which take four instructions for the sake of zeros; NaN compares false.
      x = x.blend(LOWEST, x.compare(LT, LOWEST));
      x = x.blend(HIGHEST, x.compare(GT, HIGHEST));
      FloatVector shifted =
          x.fma(FloatVector.broadcast(F, LOG2_E), FloatVector.broadcast(F, ROUND));
      FloatVector k = shifted.sub(ROUND);
      FloatVector r = k.fma(FloatVector.broadcast(F, -LN2_HIGH), x);
      r = k.fma(FloatVector.broadcast(F, -LN2_LOW), r);

      FloatVector p = FloatVector.broadcast(F, 1.9875691500e-4f);
      p = p.fma(r, FloatVector.broadcast(F, 1.3981999507e-3f));
      p = p.fma(r, FloatVector.broadcast(F, 8.3334519073e-3f));
      p = p.fma(r, FloatVector.broadcast(F, 4.1665795894e-2f));
      p = p.fma(r, FloatVector.broadcast(F, 1.6666665459e-1f));
      p = p.fma(r, FloatVector.broadcast(F, 5.0000001201e-1f));
      p = p.fma(r.mul(r), r).add(1f);

      // 2^k in two steps, since neither 2^-150 nor 2^128 is a float.
      IntVector bits = shifted.reinterpretAsInts().sub(ROUND_BITS);
      IntVector half = bits.lanewise(ASHR, 1);
      IntVector rest = bits.sub(half);
      p = p.mul(half.add(127).lanewise(LSHL, 23).reinterpretAsFloats());
      p = p.mul(rest.add(127).lanewise(LSHL, 23).reinterpretAsFloats());
      p.intoMemorySegment(dst, to + 4L * i, LITTLE_ENDIAN);
    }
  }

  /// Softmax weights in place: `x[i] = exp(factor * x[i] + offset)` for results of at most about 1;
  /// below 2^-126 they are 0. Leaves the lanes' sums at `sums`. A third shorter than the other,
  /// since it needs neither end of the range.
  ///
  /// @param n how many, a multiple of L
  public static void weights(
      MemorySegment scratch, long at, float factor, float offset, int n, long sums) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    FloatVector sum = FloatVector.zero(F);
    for (int i = 0; i < n; i += L) {
      FloatVector x =
          FloatVector.fromMemorySegment(F, s, at + 4L * i, LITTLE_ENDIAN).mul(factor).add(offset);
      FloatVector shifted =
          x.fma(FloatVector.broadcast(F, LOG2_E), FloatVector.broadcast(F, ROUND_BIASED));
      FloatVector k = shifted.sub(ROUND_BIASED);
      FloatVector r = k.fma(FloatVector.broadcast(F, -LN2_HIGH), x);
      r = k.fma(FloatVector.broadcast(F, -LN2_LOW), r);

      FloatVector p = FloatVector.broadcast(F, 1.9875691500e-4f);
      p = p.fma(r, FloatVector.broadcast(F, 1.3981999507e-3f));
      p = p.fma(r, FloatVector.broadcast(F, 8.3334519073e-3f));
      p = p.fma(r, FloatVector.broadcast(F, 4.1665795894e-2f));
      p = p.fma(r, FloatVector.broadcast(F, 1.6666665459e-1f));
      p = p.fma(r, FloatVector.broadcast(F, 5.0000001201e-1f));
      p = p.fma(r.mul(r), r).add(1f);
      p = p.mul(shifted.reinterpretAsInts().lanewise(LSHL, 23).reinterpretAsFloats());
      p = p.blend(0f, x.compare(LT, LOWEST_NORMAL));
      p.intoMemorySegment(s, at + 4L * i, LITTLE_ENDIAN);
      sum = p.add(sum); // not sum.add(p): see Lanes
    }
    sum.intoMemorySegment(s, sums, LITTLE_ENDIAN);
  }
}

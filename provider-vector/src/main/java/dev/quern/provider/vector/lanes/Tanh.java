package dev.quern.provider.vector.lanes;

import static dev.quern.provider.vector.lanes.Exp.LN2_HIGH;
import static dev.quern.provider.vector.lanes.Exp.LN2_LOW;
import static dev.quern.provider.vector.lanes.Exp.LOG2_E;
import static dev.quern.provider.vector.lanes.Exp.ROUND_BIASED;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// The hyperbolic tangent, as Cephes' `tanhf` has it: a polynomial of degree 9 for `abs(x) <
/// 0.625`, else `1 - 2 / (exp(2 * abs(x)) + 1)` with the sign of x, and the exponential function of
/// [Exp]. Within 4 ulp, relative to small results too; NaN stays NaN.
public final class Tanh {
  private static final float SMALL = 0.625f;

  /// tanh is 1 as a float from here on.
  private static final float ONE_FROM = 10;

  private Tanh() {}

  /// Soft cap in place: `x[i] = cap * tanh(factor * x[i] / cap)`. In one method, as in [Exp].
  ///
  /// @param n how many, a multiple of L
  public static void cap(MemorySegment scratch, long at, float factor, float cap, int n) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    float inverse = 1 / cap;
    for (int i = 0; i < n; i += L) {
      // Two products: factor / cap may be no float.
      FloatVector x =
          FloatVector.fromMemorySegment(F, s, at + 4L * i, LITTLE_ENDIAN).mul(factor).mul(inverse);
      FloatVector abs = x.abs();

      FloatVector twice = abs.blend(ONE_FROM, abs.compare(GT, ONE_FROM)).mul(2f);
      FloatVector shifted =
          twice.fma(FloatVector.broadcast(F, LOG2_E), FloatVector.broadcast(F, ROUND_BIASED));
      FloatVector k = shifted.sub(ROUND_BIASED);
      FloatVector r = k.fma(FloatVector.broadcast(F, -LN2_HIGH), twice);
      r = k.fma(FloatVector.broadcast(F, -LN2_LOW), r);
      FloatVector e = FloatVector.broadcast(F, 1.9875691500e-4f);
      e = e.fma(r, FloatVector.broadcast(F, 1.3981999507e-3f));
      e = e.fma(r, FloatVector.broadcast(F, 8.3334519073e-3f));
      e = e.fma(r, FloatVector.broadcast(F, 4.1665795894e-2f));
      e = e.fma(r, FloatVector.broadcast(F, 1.6666665459e-1f));
      e = e.fma(r, FloatVector.broadcast(F, 5.0000001201e-1f));
      e = e.fma(r.mul(r), r).add(1f);
      e = e.mul(shifted.reinterpretAsInts().lanewise(LSHL, 23).reinterpretAsFloats());
      FloatVector large = FloatVector.broadcast(F, -2f).div(e.add(1f)).add(1f);
      large = large.blend(large.neg(), x.compare(LT, 0f));

      FloatVector z = x.mul(x);
      FloatVector p = FloatVector.broadcast(F, -5.70498872745e-3f);
      p = p.fma(z, FloatVector.broadcast(F, 2.06390887954e-2f));
      p = p.fma(z, FloatVector.broadcast(F, -5.37397155531e-2f));
      p = p.fma(z, FloatVector.broadcast(F, 1.33314422036e-1f));
      p = p.fma(z, FloatVector.broadcast(F, -3.33332819422e-1f));
      FloatVector small = p.mul(z).fma(x, x);

      large
          .blend(small, abs.compare(LT, SMALL))
          .mul(cap)
          .intoMemorySegment(s, at + 4L * i, LITTLE_ENDIAN);
    }
  }
}

package dev.quern.provider.x86.activation;

import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Op;
import dev.quern.provider.x86.asm.Vec;

/// The exponential function of the lanes of a vector: `exp(x) = 2^n * exp(r)`, with `n = round(x /
/// ln 2)` and `r = x - n ln 2`, so `abs(r) <= 0.3467`; `exp(r)` is a polynomial of degree 6 with
/// minimax coefficients (Remez; 1 and 1 for the first two, so that exp(0) is 1).
///
/// The result is within 2u of the true value, relative (u = 2⁻²⁴), in -87.33 .. 88.37:
///
/// - The polynomial is within 2⁻²⁸ = 0.07u of exp(r), coefficients rounded.
/// - `x - n * LN2_HIGH` is exact: LN2_HIGH has 9 bits, n has 8, and the difference is a multiple of
///   x's last place (Sterbenz). With LN2_LOW it is rounded once, by u/4 below 1/2; LN2_LOW is
///   within 2⁻³⁹ of what it stands for, 128 times that is 0.04u. An error of r is a relative one of
///   exp(r).
/// - Horner's last two steps round by u each at most, the first of them times `abs(r)`; those
///   before by 0.07u together: 1.42u above r = 0, where exp(r) is 1 at least. Below, numbers are
///   less than 1 and round by half of that, relative to 0.7: 1.05u.
/// - `2^n` is exact.
///
/// Below that results are subnormal, and 0 from -87.68 on; above infinite; NaN stays NaN.
final class Exp {
  static final float HIGHEST = 89f; // n = 128, and 2^n infinite
  static final float LOWEST = -88f; // n = -127, and 2^n zero
  static final float LOG2_E = 0x1.715476p0f;
  static final float LN2_HIGH = 355f / 512;
  static final float LN2_LOW = -0x1.bd0106p-13f;

  /// From the highest down.
  static final float[] COEFFICIENTS = {
    0x1.6a23f2p-10f, 0x1.123a0ap-7f, 0x1.5558f2p-5f, 0x1.555492p-3f, 0x1.fffffcp-2f, 1f, 1f
  };

  /// Added to a float of at most 2^22 in magnitude it leaves the nearest integer in the low bits,
  /// plus 127 as an exponent has it.
  static final float ROUND = 0x1.8p23f + 127;

  private static final int FRACTION_BITS = 23;

  private final Lanes lanes;
  private final Vec lowest;
  private final Vec spare;
  private final Vec polynomial;

  /// @param first the first of three registers that it keeps or changes
  Exp(Lanes lanes, int first) {
    this.lanes = lanes;
    lowest = lanes.v(first);
    spare = lanes.v(first + 1);
    polynomial = lanes.v(first + 2);
  }

  /// Once, before all uses.
  void begin() {
    lanes.broadcast(lowest, LOWEST);
  }

  /// x becomes exp(x).
  void emit(Vec x) {
    lanes.broadcast(spare, HIGHEST);
    lanes.a.emit(Op.VMINPS, x, spare, x); // the second source where one is NaN
    emitBelow(x);
  }

  /// The same, where no x is above [#HIGHEST].
  void emitBelow(Vec x) {
    Assembler a = lanes.a;
    a.emit(Op.VMAXPS, x, lowest, x); // the second source where one is NaN
    lanes.broadcast(spare, LOG2_E);
    a.emit(Op.VFMADD213PS, spare, x, lanes.constant(ROUND));
    a.emit(Op.VSUBPS, polynomial, spare, lanes.constant(ROUND)); // n
    a.emit(Op.VFNMADD231PS, x, polynomial, lanes.constant(LN2_HIGH));
    a.emit(Op.VFNMADD231PS, x, polynomial, lanes.constant(LN2_LOW));
    lanes.broadcast(polynomial, COEFFICIENTS[0]);
    for (int i = 1; i < COEFFICIENTS.length; i++) {
      a.emit(Op.VFMADD213PS, polynomial, x, lanes.constant(COEFFICIENTS[i]));
    }
    a.emit(Op.VPSLLD, spare, spare, FRACTION_BITS); // 2^n
    a.emit(Op.VMULPS, x, polynomial, spare);
  }
}

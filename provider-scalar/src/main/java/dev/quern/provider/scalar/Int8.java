package dev.quern.provider.scalar;

import dev.quern.op.Numerics;

/// What the int8 arithmetics share.
final class Int8 {
  private Int8() {}

  /// The arithmetic of a format's int8 activations.
  static LinearArithmetic arithmetic(IntegerFormat format, int inputs) {
    if (format.activations().equals(Numerics.INT8_ASYM_ROW)) {
      return format.group() == 0
          ? new Int8AsymPerOutput(format, inputs)
          : new Int8AsymPerBlock(format, inputs);
    }
    return new Int8Sym(format, inputs);
  }

  /// Half away from zero (rule L8). The sum is exact in double precision for every float below
  /// 2^28; NaN gives 0, and what no int can hold saturates.
  static int round(float v) {
    return (int) (v + Math.copySign(0.5, v));
  }
}

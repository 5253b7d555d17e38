package dev.quern.conformance.judge;

/// IEEE binary16 and bfloat16, by their definitions.
///
/// @since 0.1
/// @stability api
public final class Half {
  private Half() {}

  /// The value of a binary16: sign 1, exponent 5 (bias 15), fraction 10.
  public static double f16(int bits) {
    double sign = (bits & 0x8000) == 0 ? 1 : -1;
    int exponent = bits >> 10 & 31;
    int fraction = bits & 1023;
    if (exponent == 31) {
      return fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
    }
    return sign
        * (exponent == 0 ? fraction * 0x1p-24 : Math.scalb(1024.0 + fraction, exponent - 25));
  }

  /// The binary16 next to a value, ties to even, overflow to infinity.
  public static short toF16(double value) {
    int sign = Math.copySign(1, value) < 0 ? 0x8000 : 0;
    double magnitude = Math.abs(value);
    if (Double.isNaN(value)) {
      return 0x7e00;
    } else if (magnitude >= 65520) { // half way from the largest, 65504, to what would be the next
      return (short) (sign | 0x7c00);
    }
    int exponent = Math.max(Math.getExponent(magnitude), -14);
    // In units of the last place; reaching 2048 carries into the exponent as it should.
    int ulps = (int) Math.rint(Math.scalb(magnitude, 10 - exponent));
    return (short) (sign | (((exponent + 14) << 10) + ulps));
  }

  /// The value of a bfloat16: the upper half of a binary32.
  public static float bf16(int bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /// The bfloat16 next to a value, as a value: 8 significant bits, ties to even, overflow to
  /// infinity.
  public static double roundToBf16(double value) {
    if (!Double.isFinite(value)) {
      return value;
    }
    int lastPlace = Math.max(Math.getExponent(value), Float.MIN_EXPONENT) - 7;
    double rounded = Math.scalb(Math.rint(Math.scalb(value, -lastPlace)), lastPlace);
    return Math.abs(rounded) < 0x1p128 ? rounded : Math.copySign(Double.POSITIVE_INFINITY, value);
  }

  /// A bfloat16 near a value (its lower bits cut off).
  public static short toBf16(double value) {
    return (short) (Float.floatToRawIntBits((float) value) >>> 16);
  }
}

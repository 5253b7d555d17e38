package dev.quern.data;

/// Conversions between F32 and BF16, the upper half of a binary32. For F16 the JDK has
/// [Float#float16ToFloat] and [Float#floatToFloat16].
///
/// @since 0.1
/// @stability contract
public final class Bf16 {
  private Bf16() {}

  /// The value of a BF16 number; exact.
  public static float toFloat(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /// The nearest BF16 number, ties to even; overflow gives infinity, NaN stays NaN.
  public static short fromFloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      // The payload may sit in the lower half alone: without the quiet bit, NaN would become
      // infinity.
      return (short) (bits >>> 16 | 0x40);
    }
    int roundUp = 0x7FFF + (bits >>> 16 & 1);
    return (short) (bits + roundUp >>> 16);
  }
}

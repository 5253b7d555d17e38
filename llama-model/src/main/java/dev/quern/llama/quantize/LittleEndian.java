package dev.quern.llama.quantize;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Writes the scalars of weight planes: little-endian on every host, at any alignment.
final class LittleEndian {
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private LittleEndian() {}

  static void i16(MemorySegment to, long offset, short value) {
    to.set(I16, offset, value);
  }

  static void f32(MemorySegment to, long offset, float value) {
    to.set(F32, offset, value);
  }

  /// Rounds to F16, ties to even, and writes it.
  ///
  /// @return the value that was written
  /// @throws IllegalArgumentException where it would become infinite
  static float f16(MemorySegment to, long offset, float value) {
    short bits = Float.floatToFloat16(value);
    float rounded = Float.float16ToFloat(bits);
    if (Float.isInfinite(rounded)) {
      throw tooLarge(value);
    }
    i16(to, offset, bits);
    return rounded;
  }

  /// What a weight or a scale that F16 can't hold is refused with.
  static IllegalArgumentException tooLarge(float value) {
    return new IllegalArgumentException(
        "%s does not fit F16, expected at most 65504 in magnitude: use a scheme with other scales (int4-block, int8-channel, bf16)"
            .formatted(value));
  }
}

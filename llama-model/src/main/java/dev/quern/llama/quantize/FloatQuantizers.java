package dev.quern.llama.quantize;

import dev.quern.data.Bf16;
import dev.quern.llama.bytes.LittleEndian;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/// F32, F16 and BF16: each weight by itself, to the nearest, ties to even.
final class FloatQuantizers {
  private FloatQuantizers() {}

  static void f32(float[] x, MemorySegment data, long at, MemorySegment scales, long scalesAt) {
    for (int i = 0; i < x.length; i++) {
      LittleEndian.putF32(data, at + 4L * i, x[i]);
    }
  }

  static void f16(float[] x, MemorySegment data, long at, MemorySegment scales, long scalesAt) {
    for (int i = 0; i < x.length; i++) {
      putF16(data, at + 2L * i, x[i]);
    }
  }

  static void bf16(float[] x, MemorySegment data, long at, MemorySegment scales, long scalesAt) {
    for (int i = 0; i < x.length; i++) {
      short bits = Bf16.fromFloat(x[i]);
      if (Float.isInfinite(Bf16.toFloat(bits))) {
        throw new IllegalArgumentException(x[i] + " does not fit BF16, expected less");
      }
      LittleEndian.putI16(data, at + 2L * i, bits);
    }
  }

  /// Rounds to F16, ties to even, and writes it.
  ///
  /// @return the value that was written
  /// @throws IllegalArgumentException where it would become infinite
  static float putF16(MemorySegment to, long offset, float value) {
    short bits = Float.floatToFloat16(value);
    float rounded = Float.float16ToFloat(bits);
    if (Float.isInfinite(rounded)) {
      throw tooLarge(value);
    }
    LittleEndian.putI16(to, offset, bits);
    return rounded;
  }

  /// What a weight or a scale that F16 can't hold is refused with.
  static IllegalArgumentException tooLarge(float value) {
    return new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "%s does not fit F16, expected at most 65504 in magnitude: use a scheme with other scales (int4-block, int8-channel, bf16)",
            value));
  }
}

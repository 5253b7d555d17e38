package dev.quern.llama.quantize;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/// ggml's blocks of 32 weights, rounded as ggml rounds them (`quantize_row_q8_0_ref` and
/// `quantize_row_q4_0_ref` of `ggml-quants.c`): every operation in F32 and in ggml's order, so that
/// the bytes are equal. Layouts: SPEC.md, section F.
final class GgmlQuantizers {
  private static final int BLOCK = 32;

  private GgmlQuantizers() {}

  /// The largest weight by magnitude becomes 127 or -127. Halves round away from zero.
  static void q8_0(float[] x, MemorySegment data, long at, MemorySegment scales, long scalesAt) {
    for (int b = 0; b < x.length; b += BLOCK, at += 2 + BLOCK) {
      float d = Math.abs(extreme(x, b, BLOCK)) / 127;
      float inverse = d == 0 ? 0 : 1 / d;
      FloatQuantizers.putF16(data, at, d);
      for (int i = 0; i < BLOCK; i++) {
        data.set(JAVA_BYTE, at + 2 + i, (byte) roundHalfAway(x[b + i] * inverse));
      }
    }
  }

  /// The largest weight by magnitude becomes -8, whatever its sign: the scale takes the other one.
  /// Halves round towards plus infinity.
  static void q4_0(float[] x, MemorySegment data, long at, MemorySegment scales, long scalesAt) {
    for (int b = 0; b < x.length; b += BLOCK, at += 2 + BLOCK / 2) {
      float d = extreme(x, b, BLOCK) / -8;
      float inverse = d == 0 ? 0 : 1 / d;
      FloatQuantizers.putF16(data, at, d);
      for (int j = 0; j < BLOCK / 2; j++) {
        int low = nibble(x[b + j] * inverse);
        int high = nibble(x[b + j + BLOCK / 2] * inverse);
        data.set(JAVA_BYTE, at + 2 + j, (byte) (low | high << 4));
      }
    }
  }

  /// The first of the values that are largest by magnitude, with its sign.
  static float extreme(float[] x, int from, int count) {
    float extreme = 0;
    for (int i = from; i < from + count; i++) {
      if (Math.abs(x[i]) > Math.abs(extreme)) {
        extreme = x[i];
      }
    }
    return extreme;
  }

  /// C's `roundf`, for magnitudes below 2^22.
  static int roundHalfAway(float value) {
    int whole = (int) value;
    return Math.abs(value - whole) >= 0.5f ? whole + (value < 0 ? -1 : 1) : whole;
  }

  private static int nibble(float scaled) {
    return Math.min(15, (int) (scaled + 8.5f)); // scaled is at least -8 and a rounding error
  }
}

package dev.quern.llama.quantize;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;

/// Q6_K, rounded as ggml rounds it (`quantize_row_q6_K_ref` and `make_qx_quants` of
/// `ggml-quants.c`, without an importance matrix): every operation in F32 and in ggml's order, so
/// that the bytes are equal. Layout: SPEC.md, section F.
final class Q6KQuantizer {
  private static final int BLOCK = 256;
  private static final int BLOCK_BYTES = 210;
  private static final int GROUP = 16; // weights of one 8-bit scale
  private static final int GROUPS = BLOCK / GROUP;
  private static final int HIGH = 128; // offset of the upper two bits
  private static final int SCALES = 192;
  private static final int D = 208;

  /// Below this, all weights of a group count as zero.
  private static final float TINY = 1e-15f;

  private Q6KQuantizer() {}

  static void quantize(
      float[] x, MemorySegment data, long at, MemorySegment scales, long scalesAt) {
    for (int b = 0; b < x.length; b += BLOCK, at += BLOCK_BYTES) {
      block(x, b, data, at);
    }
  }

  private static void block(float[] x, int from, MemorySegment data, long at) {
    int[] q = new int[BLOCK]; // 0 .. 63
    float[] groupScales = new float[GROUPS];
    float largest = 0;
    for (int g = 0; g < GROUPS; g++) {
      groupScales[g] = scale(x, from + g * GROUP, q, g * GROUP);
      if (Math.abs(groupScales[g]) > Math.abs(largest)) {
        largest = groupScales[g];
      }
    }
    if (Math.abs(largest) < TINY) {
      data.asSlice(at, BLOCK_BYTES).fill((byte) 0);
      return;
    }
    float inverse = -128f / largest;
    float d = FloatQuantizers.putF16(data, at + D, 1 / inverse);
    for (int g = 0; g < GROUPS; g++) {
      int sc = Math.min(127, (int) Math.rint(inverse * groupScales[g]));
      data.set(JAVA_BYTE, at + SCALES + g, (byte) sc);
      float step = d * sc;
      for (int i = g * GROUP; step != 0 && i < (g + 1) * GROUP; i++) {
        q[i] = integer(x[from + i] / step); // of a step of 0, what the search found stays
      }
    }
    pack(q, data, at);
  }

  /// The scale with the least error over 16 weights, where an error weighs as much as the square of
  /// its weight. Tried are -32/extreme and 18 neighbours of it as the inverse of the scale.
  ///
  /// @param q receives the integers of that scale, from index `to` on
  private static float scale(float[] x, int from, int[] q, int to) {
    float extreme = GgmlQuantizers.extreme(x, from, GROUP);
    if (Math.abs(extreme) < TINY) {
      return 0;
    }
    float scale = 0;
    float best = 0;
    float bestInverse = 0;
    for (int n = 0; n < 19; n++) {
      int step = n == 0 ? 0 : n <= 9 ? n - 10 : n - 9; // 0, -9 .. -1, 1 .. 9
      float inverse = -(32 + 0.1f * step) / extreme;
      float sumLx = 0;
      float sumL2 = 0;
      for (int i = from; i < from + GROUP; i++) {
        int l = integer(inverse * x[i]) - 32;
        float w = x[i] * x[i];
        sumLx += w * x[i] * l;
        sumL2 += w * l * l;
      }
      if (n == 0 || sumL2 > 0 && sumLx * sumLx > best * sumL2) {
        scale = sumL2 == 0 ? 0 : sumLx / sumL2;
        best = scale * sumLx;
        bestInverse = inverse;
      }
    }
    if (!Float.isFinite(scale)) { // ggml would write zeros
      throw FloatQuantizers.tooLarge(extreme);
    }
    for (int i = 0; i < GROUP; i++) {
      q[to + i] = integer(bestInverse * x[from + i]);
    }
    return scale;
  }

  private static void pack(int[] q, MemorySegment data, long at) {
    for (int half = 0; half < 2; half++) {
      for (int l = 0; l < 32; l++) {
        int a = q[128 * half + l];
        int b = q[128 * half + l + 32];
        int c = q[128 * half + l + 64];
        int d = q[128 * half + l + 96];
        data.set(JAVA_BYTE, at + 64 * half + l, (byte) (a & 15 | (c & 15) << 4));
        data.set(JAVA_BYTE, at + 64 * half + l + 32, (byte) (b & 15 | (d & 15) << 4));
        data.set(
            JAVA_BYTE,
            at + HIGH + 32 * half + l,
            (byte) (a >> 4 | b >> 4 << 2 | c >> 4 << 4 | d >> 4 << 6));
      }
    }
  }

  /// To the nearest integer, ties to even, of -32 .. 31; plus 32.
  private static int integer(float value) {
    return Math.clamp((int) Math.rint(value), -32, 31) + 32;
  }
}

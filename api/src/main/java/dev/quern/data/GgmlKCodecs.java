package dev.quern.data;

import static dev.quern.data.BlockCodecs.blockwise;
import static dev.quern.data.LittleEndian.f16;
import static dev.quern.data.LittleEndian.i8;
import static dev.quern.data.LittleEndian.u8;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Map;

/// ggml's blocks of 256 weights, the "K quants" (`ggml-common.h`). Bytes:
///
/// ```
/// Q2_K   s[16] | q[64] | d:f16 | dmin:f16                 (d * sc) * q - dmin * mn
/// Q3_K   h[32] | q[64] | s[12] | d:f16                    (d * (sc - 32)) * (q + 4 * h - 4)
/// Q4_K   d:f16 | dmin:f16 | s[12] | n[128]                (d * sc) * n - dmin * mn
/// Q5_K   d:f16 | dmin:f16 | s[12] | h[32] | n[128]        (d * sc) * (n + 16 * h) - dmin * mn
/// Q6_K   l[128] | h[64] | sc[16]:i8 | d:f16               (d * sc) * (l + 16 * h - 32)
///
/// Q4_K, Q5_K: 8 sub-blocks j of 32 weights; a byte of n holds sub-block 2c low, 2c + 1 high
///   n        [ 0..31: sub-blocks 0, 1 ] [ 32..63: 2, 3 ] [ 64..95: 4, 5 ] [ 96..127: 6, 7 ]
///   h[l]     bit j: fifth bit of element l of sub-block j
///   s        eight 6-bit scales sc and eight 6-bit minimums mn:
///            s[0..3]   sc[0..3], bits 6-7: upper bits of sc[4..7]
///            s[4..7]   mn[0..3], bits 6-7: upper bits of mn[4..7]
///            s[8..11]  low nibble: lower bits of sc[4..7], high nibble: lower bits of mn[4..7]
///
/// Q6_K: 2 halves of 128 weights; element e of a half, column l = e % 32, quarter e / 32:
///   quarter 0  low  nibble of l[l],      bits 0-1 of h[l]
///   quarter 1  low  nibble of l[l + 32], bits 2-3 of h[l]
///   quarter 2  high nibble of l[l],      bits 4-5 of h[l]
///   quarter 3  high nibble of l[l + 32], bits 6-7 of h[l]
///   sc[e / 16] of the block's element e
///
/// Q2_K, Q3_K: 2 halves of 128 weights; quarter e / 32 of a half has bits 2 * quarter of q[l], where
/// l is e % 32 and 32 more in the second half; a scale is of 16 elements
///   Q2_K  s[e / 16]   low nibble: sc, high: mn
///   Q3_K  h[e % 32]   bit e / 32: third bit of the block's element e
///         s           sixteen 6-bit scales: s[0..7] have the low nibbles of sc[0..7] low and of
///                     sc[8..15] high; bits 2 * (j / 4) of s[8 + j % 4] are the upper two of sc[j]
/// ```
final class GgmlKCodecs {
  static final Map<BlockFormat, BlockCodec> TABLE =
      Map.of(
          BlockFormat.Q2_K, blockwise(GgmlKCodecs::q2_K),
          BlockFormat.Q3_K, blockwise(GgmlKCodecs::q3_K),
          BlockFormat.Q4_K, blockwise(GgmlKCodecs::q4_K),
          BlockFormat.Q5_K, blockwise(GgmlKCodecs::q5_K),
          BlockFormat.Q6_K, blockwise(GgmlKCodecs::q6_K));

  private GgmlKCodecs() {}

  static void q2_K(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = f16(data, block + 80);
    float dmin = f16(data, block + 82);
    for (int e = 0; e < 256; e += 16) {
      int s = u8(data, block + e / 16);
      float scale = d * (s & 15);
      float min = dmin * (s >>> 4);
      for (int i = e; i < e + 16; i++) {
        dst.set(JAVA_FLOAT, at + 4L * i, scale * twoBits(data, block + 16, i) - min);
      }
    }
  }

  static void q3_K(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = f16(data, block + 108);
    for (int e = 0; e < 256; e += 16) {
      int j = e / 16;
      int low = u8(data, block + 96 + j % 8) >>> 4 * (j / 8) & 15;
      int high = u8(data, block + 104 + j % 4) >>> 2 * (j / 4) & 3;
      float scale = d * ((low | high << 4) - 32);
      for (int i = e; i < e + 16; i++) {
        int third = u8(data, block + i % 32) >>> i / 32 & 1;
        int value = twoBits(data, block + 32, i) | third << 2;
        dst.set(JAVA_FLOAT, at + 4L * i, scale * (value - 4));
      }
    }
  }

  /// Those of Q2_K's and Q3_K's element i, whose 64 bytes are at `q`.
  private static int twoBits(MemorySegment data, long q, int i) {
    return u8(data, q + 32 * (i / 128) + i % 32) >>> 2 * (i / 32 % 4) & 3;
  }

  static void q4_K(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = f16(data, block);
    float dmin = f16(data, block + 2);
    long scales = block + 4;
    long nibbles = block + 16;
    for (int j = 0; j < 8; j++) {
      float scale = d * scale(data, scales, j);
      float min = dmin * min(data, scales, j);
      int shift = 4 * (j & 1);
      for (int l = 0; l < 32; l++) {
        int n = u8(data, nibbles + 32 * (j / 2) + l) >>> shift & 15;
        dst.set(JAVA_FLOAT, at + 4L * (32 * j + l), scale * n - min);
      }
    }
  }

  static void q5_K(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = f16(data, block);
    float dmin = f16(data, block + 2);
    long scales = block + 4;
    long fifth = block + 16;
    long nibbles = block + 48;
    for (int j = 0; j < 8; j++) {
      float scale = d * scale(data, scales, j);
      float min = dmin * min(data, scales, j);
      int shift = 4 * (j & 1);
      for (int l = 0; l < 32; l++) {
        int n = u8(data, nibbles + 32 * (j / 2) + l) >>> shift & 15;
        int h = u8(data, fifth + l) >>> j & 1;
        dst.set(JAVA_FLOAT, at + 4L * (32 * j + l), scale * (n | h << 4) - min);
      }
    }
  }

  static void q6_K(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = f16(data, block + 208);
    for (int e = 0; e < 256; e += 16) { // 16 elements with one scale, all of one quarter
      float scale = d * i8(data, block + 192 + e / 16);
      int half = e / 128;
      int quarter = e / 32 % 4;
      long low = block + 64 * half + 32 * (quarter & 1) + e % 32;
      long high = block + 128 + 32 * half + e % 32;
      int lowShift = 4 * (quarter / 2);
      int highShift = 2 * quarter;
      for (int i = 0; i < 16; i++) {
        int value = u8(data, low + i) >>> lowShift & 15;
        value |= (u8(data, high + i) >>> highShift & 3) << 4;
        dst.set(JAVA_FLOAT, at + 4L * (e + i), scale * (value - 32));
      }
    }
  }

  /// sc[j] of the 12 bytes at `s`.
  private static int scale(MemorySegment data, long s, int j) {
    return j < 4 ? u8(data, s + j) & 63 : u8(data, s + j + 4) & 15 | u8(data, s + j - 4) >>> 6 << 4;
  }

  /// mn[j] of the 12 bytes at `s`.
  private static int min(MemorySegment data, long s, int j) {
    return j < 4
        ? u8(data, s + j + 4) & 63
        : u8(data, s + j + 4) >>> 4 | u8(data, s + j) >>> 6 << 4;
  }
}

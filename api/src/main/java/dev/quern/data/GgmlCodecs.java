package dev.quern.data;

import static dev.quern.data.BlockCodecs.blockwise;
import static dev.quern.data.LittleEndian.f16;
import static dev.quern.data.LittleEndian.i32;
import static dev.quern.data.LittleEndian.i8;
import static dev.quern.data.LittleEndian.u8;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.util.Map;

/// ggml's blocks of 32 weights (`ggml-common.h`). Bytes:
///
/// ```
/// Q8_0   d:f16 | q[32]:i8                                 d * q
/// Q4_0   d:f16 | n[16]                                    d * (n - 8)
/// Q4_1   d:f16 | m:f16 | n[16]                            d * n + m
/// Q5_0   d:f16 | h:u32 | n[16]                            d * (n + 16 * h - 16)
/// Q5_1   d:f16 | m:f16 | h:u32 | n[16]                    d * (n + 16 * h) + m
/// IQ4_NL d:f16 | n[16]                                    d * T[n]
/// MXFP4  e:u8 | n[16]                                     2^(e - 128) * E[n]
///
/// n[j]   low nibble: element j, high nibble: element j + 16
/// h      bit i: fifth bit of element i
/// ```
///
/// Each method decodes the block at an offset of the data plane.
final class GgmlCodecs {
  static final Map<BlockFormat, BlockCodec> TABLE =
      Map.of(
          BlockFormat.Q8_0, blockwise(GgmlCodecs::q8_0),
          BlockFormat.Q4_0, blockwise(GgmlCodecs::q4_0),
          BlockFormat.Q4_1, blockwise(GgmlCodecs::q4_1),
          BlockFormat.Q5_0, blockwise(GgmlCodecs::q5_0),
          BlockFormat.Q5_1, blockwise(GgmlCodecs::q5_1),
          BlockFormat.IQ4_NL, blockwise(GgmlCodecs::iq4_nl),
          BlockFormat.MXFP4, blockwise(GgmlCodecs::mxfp4));

  /// `kvalues_iq4nl`.
  private static final int[] T = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  /// `kvalues_mxfp4`: the numbers of E2M1, twice.
  private static final int[] E = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

  private GgmlCodecs() {}

  static void q8_0(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = f16(data, block);
    for (int i = 0; i < 32; i++) {
      dst.set(JAVA_FLOAT, at + 4L * i, d * i8(data, block + 2 + i));
    }
  }

  static void q4_0(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = f16(data, block);
    for (int j = 0; j < 16; j++) {
      int n = u8(data, block + 2 + j);
      dst.set(JAVA_FLOAT, at + 4L * j, d * ((n & 15) - 8));
      dst.set(JAVA_FLOAT, at + 4L * (j + 16), d * ((n >>> 4) - 8));
    }
  }

  static void iq4_nl(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = f16(data, block);
    for (int j = 0; j < 16; j++) {
      int n = u8(data, block + 2 + j);
      dst.set(JAVA_FLOAT, at + 4L * j, d * T[n & 15]);
      dst.set(JAVA_FLOAT, at + 4L * (j + 16), d * T[n >>> 4]);
    }
  }

  static void mxfp4(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = halfOfE8m0(u8(data, block));
    for (int j = 0; j < 16; j++) {
      int n = u8(data, block + 1 + j);
      dst.set(JAVA_FLOAT, at + 4L * j, d * E[n & 15]);
      dst.set(JAVA_FLOAT, at + 4L * (j + 16), d * E[n >>> 4]);
    }
  }

  /// Half of a scale of OCP Microscaling: `2^(e - 128)`, the smallest two subnormal; 255 is NaN.
  private static float halfOfE8m0(int e) {
    return e == 255 ? Float.NaN : Float.intBitsToFloat(e < 2 ? 1 << 21 + e : e - 1 << 23);
  }

  static void q4_1(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = f16(data, block);
    float m = f16(data, block + 2);
    for (int j = 0; j < 16; j++) {
      int n = u8(data, block + 4 + j);
      dst.set(JAVA_FLOAT, at + 4L * j, d * (n & 15) + m);
      dst.set(JAVA_FLOAT, at + 4L * (j + 16), d * (n >>> 4) + m);
    }
  }

  static void q5_0(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = f16(data, block);
    int h = i32(data, block + 2);
    for (int j = 0; j < 16; j++) {
      int n = u8(data, block + 6 + j);
      int low = n & 15 | (h >>> j & 1) << 4;
      int high = n >>> 4 | (h >>> j + 16 & 1) << 4;
      dst.set(JAVA_FLOAT, at + 4L * j, d * (low - 16));
      dst.set(JAVA_FLOAT, at + 4L * (j + 16), d * (high - 16));
    }
  }

  static void q5_1(MemorySegment data, long block, MemorySegment dst, long at) {
    float d = f16(data, block);
    float m = f16(data, block + 2);
    int h = i32(data, block + 4);
    for (int j = 0; j < 16; j++) {
      int n = u8(data, block + 8 + j);
      int low = n & 15 | (h >>> j & 1) << 4;
      int high = n >>> 4 | (h >>> j + 16 & 1) << 4;
      dst.set(JAVA_FLOAT, at + 4L * j, d * low + m);
      dst.set(JAVA_FLOAT, at + 4L * (j + 16), d * high + m);
    }
  }
}

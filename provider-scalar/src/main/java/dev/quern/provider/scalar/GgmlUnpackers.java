package dev.quern.provider.scalar;

import static dev.quern.provider.scalar.IntegerFormat.sym256;
import static dev.quern.provider.scalar.IntegerFormat.sym32;
import static dev.quern.provider.scalar.Weights.f16;
import static dev.quern.provider.scalar.Weights.i32;
import static dev.quern.provider.scalar.Weights.u8;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// ggml's blocks as integers (`ggml-common.h`; SPEC.md, section F). Bytes:
///
/// ```
///                                                         q               scale    offset
/// Q8_0   d:f16 | q[32]:i8                                 q               d        0
/// Q4_0   d:f16 | n[16]                                    n - 8           d        0
/// Q4_1   d:f16 | m:f16 | n[16]                            n               d        m
/// Q5_0   d:f16 | h:u32 | n[16]                            n + 16*h - 16   d        0
/// Q5_1   d:f16 | m:f16 | h:u32 | n[16]                    n + 16*h        d        m
/// IQ4_NL d:f16 | n[16]                                    T[n]            d        0
/// MXFP4  e:u8 | n[16]                                     E[n]            2^(e-128) 0
/// Q2_K   s[16] | q[64] | d:f16 | dmin:f16                 q               d * sc   -(dmin * mn)
/// Q3_K   h[32] | q[64] | s[12] | d:f16                    q + 4*h - 4     d * sc   0
/// Q4_K   d:f16 | dmin:f16 | s[12] | n[128]                n               d * sc   -(dmin * mn)
/// Q5_K   d:f16 | dmin:f16 | s[12] | h[32] | n[128]        n + 16*h        d * sc   -(dmin * mn)
/// Q6_K   l[128] | h[64] | sc[16]:i8 | d:f16               l + 16*h - 32   d * sc   0
/// ```
///
/// Each method unpacks the block at an offset of the data plane.
final class GgmlUnpackers {
  static final List<IntegerFormat> TABLE =
      List.of(
          sym32(BlockFormat.Q8_0, GgmlUnpackers::q8_0),
          sym32(BlockFormat.Q4_0, GgmlUnpackers::q4_0),
          sym32(BlockFormat.Q4_1, GgmlUnpackers::q4_1),
          sym32(BlockFormat.Q5_0, GgmlUnpackers::q5_0),
          sym32(BlockFormat.Q5_1, GgmlUnpackers::q5_1),
          sym32(BlockFormat.IQ4_NL, GgmlUnpackers::iq4_nl),
          sym32(BlockFormat.MXFP4, GgmlUnpackers::mxfp4),
          sym256(BlockFormat.Q2_K, 16, GgmlUnpackers::q2_K),
          sym256(BlockFormat.Q3_K, 16, GgmlUnpackers::q3_K),
          sym256(BlockFormat.Q4_K, 32, GgmlUnpackers::q4_K),
          sym256(BlockFormat.Q5_K, 32, GgmlUnpackers::q5_K),
          sym256(BlockFormat.Q6_K, 16, GgmlUnpackers::q6_K));

  /// IQ4_NL's.
  private static final byte[] T = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  /// MXFP4's.
  private static final byte[] E = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

  private GgmlUnpackers() {}

  static void q8_0(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    MemorySegment.copy(data, block + 2, dst, q, 32);
    scale(dst, s, f16(data, block), o, 0);
  }

  static void q4_0(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    nibbles(data, block + 2, 0, 8, dst, q);
    scale(dst, s, f16(data, block), o, 0);
  }

  static void q4_1(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    nibbles(data, block + 4, 0, 0, dst, q);
    scale(dst, s, f16(data, block), o, f16(data, block + 2));
  }

  static void q5_0(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    nibbles(data, block + 6, i32(data, block + 2), 16, dst, q);
    scale(dst, s, f16(data, block), o, 0);
  }

  static void q5_1(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    nibbles(data, block + 8, i32(data, block + 4), 0, dst, q);
    scale(dst, s, f16(data, block), o, f16(data, block + 2));
  }

  static void iq4_nl(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    lookUp(T, data, block + 2, dst, q);
    scale(dst, s, f16(data, block), o, 0);
  }

  static void mxfp4(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    lookUp(E, data, block + 1, dst, q);
    int e = u8(data, block);
    float d = e == 255 ? Float.NaN : Math.scalb(1f, e - 128);
    scale(dst, s, d, o, 0);
  }

  static void q2_K(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    for (int i = 0; i < 256; i++) {
      dst.set(JAVA_BYTE, q + i, (byte) twoBits(data, block + 16, i));
    }
    float d = f16(data, block + 80);
    float dmin = f16(data, block + 82);
    for (int g = 0; g < 16; g++) {
      int both = u8(data, block + g);
      scale(dst, s + 4 * g, d * (both & 15), o + 4 * g, -(dmin * (both >>> 4)));
    }
  }

  static void q3_K(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    for (int i = 0; i < 256; i++) {
      int third = u8(data, block + i % 32) >>> i / 32 & 1;
      dst.set(JAVA_BYTE, q + i, (byte) ((twoBits(data, block + 32, i) | third << 2) - 4));
    }
    float d = f16(data, block + 108);
    for (int g = 0; g < 16; g++) {
      int low = u8(data, block + 96 + g % 8) >>> g / 8 * 4 & 15;
      int high = u8(data, block + 104 + g % 4) >>> g / 4 * 2 & 3;
      scale(dst, s + 4 * g, d * ((high << 4 | low) - 32), o + 4 * g, 0);
    }
  }

  static void q4_K(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    kScales(data, block, dst, s, o);
    for (int i = 0; i < 256; i++) {
      dst.set(JAVA_BYTE, q + i, (byte) kNibble(data, block + 16, i));
    }
  }

  static void q5_K(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    kScales(data, block, dst, s, o);
    for (int i = 0; i < 256; i++) {
      int fifth = u8(data, block + 16 + i % 32) >>> i / 32 & 1;
      dst.set(JAVA_BYTE, q + i, (byte) (kNibble(data, block + 48, i) | fifth << 4));
    }
  }

  /// Two halves of 128 elements; the nibbles of a half are two rows of 32 bytes, its upper bits one
  /// row, of which quarter e / 32 has two.
  static void q6_K(MemorySegment data, long block, MemorySegment dst, long q, long s, long o) {
    for (int i = 0; i < 256; i++) {
      int half = i / 128;
      int quarter = i / 32 % 4;
      int low = u8(data, block + 64 * half + i % 64) >>> 4 * (quarter / 2) & 15;
      int high = u8(data, block + 128 + 32 * half + i % 32) >>> 2 * quarter & 3;
      dst.set(JAVA_BYTE, q + i, (byte) ((low | high << 4) - 32));
    }
    float d = f16(data, block + 208);
    for (int g = 0; g < 16; g++) {
      scale(dst, s + 4 * g, d * data.get(JAVA_BYTE, block + 192 + g), o + 4 * g, 0);
    }
  }

  private static void scale(MemorySegment dst, long s, float scale, long o, float offset) {
    dst.set(JAVA_FLOAT, s, scale);
    dst.set(JAVA_FLOAT, o, offset);
  }

  /// 32 elements of 16 bytes at `n`, low nibbles first, their fifth bits from `h`, less a bias.
  private static void nibbles(
      MemorySegment data, long n, int h, int bias, MemorySegment dst, long q) {
    for (int j = 0; j < 16; j++) {
      int pair = u8(data, n + j);
      int low = pair & 15 | (h >>> j & 1) << 4;
      int high = pair >>> 4 | (h >>> j + 16 & 1) << 4;
      dst.set(JAVA_BYTE, q + j, (byte) (low - bias));
      dst.set(JAVA_BYTE, q + j + 16, (byte) (high - bias));
    }
  }

  /// 32 elements of 16 bytes at `n`, low nibbles first: what a table has for them.
  private static void lookUp(byte[] table, MemorySegment data, long n, MemorySegment dst, long q) {
    for (int j = 0; j < 16; j++) {
      int pair = u8(data, n + j);
      dst.set(JAVA_BYTE, q + j, table[pair & 15]);
      dst.set(JAVA_BYTE, q + j + 16, table[pair >>> 4]);
    }
  }

  /// Element i of Q2_K's and Q3_K's 64 bytes at `n`: a byte holds one of each quarter of a half.
  private static int twoBits(MemorySegment data, long n, int i) {
    return u8(data, n + 32 * (i / 128) + i % 32) >>> 2 * (i / 32 % 4) & 3;
  }

  /// Element i of the 128 bytes at `n`: 32 bytes hold the sub-blocks 2c (low) and 2c + 1 (high).
  private static int kNibble(MemorySegment data, long n, int i) {
    return u8(data, n + 32 * (i / 64) + i % 32) >>> 4 * (i / 32 % 2) & 15;
  }

  /// Eight 6-bit scales and eight 6-bit minimums in 12 bytes: those of the upper four sub-blocks
  /// have their low four bits in s[8 .. 11], and their high two atop those of the lower four.
  private static void kScales(MemorySegment data, long block, MemorySegment dst, long s, long o) {
    float d = f16(data, block);
    float dmin = f16(data, block + 2);
    long packed = block + 4;
    for (int j = 0; j < 4; j++) {
      int scales = u8(data, packed + j);
      int mins = u8(data, packed + j + 4);
      int upper = u8(data, packed + j + 8);
      scale(dst, s + 4 * j, d * (scales & 63), o + 4 * j, -(dmin * (mins & 63)));
      int scale = upper & 15 | scales >>> 6 << 4;
      int min = upper >>> 4 | mins >>> 6 << 4;
      scale(dst, s + 4 * (j + 4), d * scale, o + 4 * (j + 4), -(dmin * min));
    }
  }
}

package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.B_PART;
import static dev.quern.provider.vector.Lanes.I32;
import static dev.quern.provider.vector.Lanes.I64;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.ShortVector;

/// Q4_K and Q5_K (SPEC.md, section F), taken apart ([Groups]): blocks of 256 weights in 8
/// sub-blocks of 32.
///
/// ```
/// Q4_K   d:f16 | dmin:f16 | s[12] | n[128]            (d * sc) * value - dmin * mn
/// Q5_K   d:f16 | dmin:f16 | s[12] | h[32] | n[128]    likewise
///
/// n[32c .. 32c+31]   low nibbles: sub-block 2c, high: sub-block 2c + 1
/// h[l]               bit j: fifth bit of element l of sub-block j
/// s                  sc[j] and mn[j] of 6 bits each:
///                    j < 4    s[j] & 63                                s[j+4] & 63
///                    j >= 4   s[j+4] & 15 | s[j-4] >> 6 << 4           s[j+4] >> 4 | s[j] >> 6 << 4
/// ```
final class BlocksK {
  private static final int BLOCK = 256;
  private static final int SUB = 32;
  private static final int PAIRS = 4; // of sub-blocks
  private static final int BYTES_4 = 16 + BLOCK / 2;
  private static final int BYTES_5 = 16 + SUB + BLOCK / 2;

  /// The low nibbles of two bytes, their lowest bits, and the next ones.
  private static final short LOW = 0x0F0F;

  private static final short BIT_0 = 0x0101;
  private static final short BIT_1 = 0x0202;

  /// Where the integers of scales and minimums are before they are multiplied: 16 bytes a block.
  private static final long SC = Groups.ROOM;

  private static final long MN = SC + Groups.MAX / Groups.GROUP;

  private BlocksK() {}

  static void q4_K(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    MemorySegment w = m.data();
    long block = Blocks.offset(m, row, from);
    for (int i = 0; i < count / BLOCK; i++) {
      nibbles(w, block + (long) BYTES_4 * i, g, at + (long) BLOCK * i);
    }
    scalesAndMins(w, block, BYTES_4, count / BLOCK, g, at);
  }

  static void q5_K(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    MemorySegment w = m.data();
    long block = Blocks.offset(m, row, from);
    for (int i = 0; i < count / BLOCK; i++) {
      values(w, block + (long) BYTES_5 * i, g, at + (long) BLOCK * i);
    }
    scalesAndMins(w, block, BYTES_5, count / BLOCK, g, at);
  }

  /// The values of a block of Q4_K.
  private static void nibbles(MemorySegment w, long block, MemorySegment g, long at) {
    for (int c = 0; c < PAIRS; c++) {
      for (int l = 0; l < SUB; l += B_PART.length()) {
        long to = at + 64L * c + l;
        ByteVector b =
            ByteVector.fromMemorySegment(B_PART, w, block + 16 + 32L * c + l, LITTLE_ENDIAN);
        ByteVector high = b.reinterpretAsShorts().lanewise(LSHR, 4).reinterpretAsBytes();
        b.and((byte) 15).intoMemorySegment(g, to, LITTLE_ENDIAN);
        high.and((byte) 15).intoMemorySegment(g, to + SUB, LITTLE_ENDIAN);
      }
    }
  }

  /// The values of a block of Q5_K.
  private static void values(MemorySegment w, long block, MemorySegment g, long at) {
    for (int c = 0; c < PAIRS; c++) {
      for (int l = 0; l < SUB; l += B_PART.length()) {
        long to = at + 64L * c + l;
        ShortVector h =
            ByteVector.fromMemorySegment(B_PART, w, block + 16 + l, LITTLE_ENDIAN)
                .reinterpretAsShorts()
                .lanewise(LSHR, 2 * c);
        ShortVector n =
            ByteVector.fromMemorySegment(B_PART, w, block + 48 + 32L * c + l, LITTLE_ENDIAN)
                .reinterpretAsShorts();
        ShortVector low = n.and(LOW).or(h.and(BIT_0).lanewise(LSHL, 4));
        ShortVector high = n.lanewise(LSHR, 4).and(LOW).or(h.and(BIT_1).lanewise(LSHL, 3));
        low.reinterpretAsBytes().intoMemorySegment(g, to, LITTLE_ENDIAN);
        high.reinterpretAsBytes().intoMemorySegment(g, to + SUB, LITTLE_ENDIAN);
      }
    }
  }

  private static void scalesAndMins(
      MemorySegment w, long block, int bytes, int blocks, MemorySegment g, long at) {
    integers(w, block + 4, bytes, blocks, g, at);
    Blocks.scales16(w, block, bytes, 1, blocks, g, at + SC, at + Groups.SCALES);
    Blocks.scales16(w, block + 2, bytes, -1, blocks, g, at + MN, at + Groups.OFFSETS);
  }

  /// The scales and minimums as bytes, each twice, since a group is half a sub-block.
  ///
  /// @param s those of the first block
  private static void integers(
      MemorySegment w, long s, int bytes, int blocks, MemorySegment g, long at) {
    for (int i = 0; i < blocks; i++) {
      long from = s + (long) bytes * i;
      int s0 = w.get(I32, from);
      int s1 = w.get(I32, from + 4);
      int s2 = w.get(I32, from + 8);
      long sc = at + SC + 16L * i;
      long mn = at + MN + 16L * i;
      g.set(I64, sc, twice(s0 & 0x3F3F_3F3F));
      g.set(I64, sc + 8, twice(s2 & 0x0F0F_0F0F | s0 >>> 2 & 0x3030_3030));
      g.set(I64, mn, twice(s1 & 0x3F3F_3F3F));
      g.set(I64, mn + 8, twice(s2 >>> 4 & 0x0F0F_0F0F | s1 >>> 2 & 0x3030_3030));
    }
  }

  /// Each of four bytes twice.
  private static long twice(long bytes) {
    long two = (bytes | bytes << 16) & 0x0000_FFFF_0000_FFFFL;
    long four = (two | two << 8) & 0x00FF_00FF_00FF_00FFL;
    return four | four << 8;
  }
}

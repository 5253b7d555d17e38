package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Lanes.B_PART;
import static dev.quern.provider.vector.lanes.Lanes.I32;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.ByteVector.SPECIES_128;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.ShortVector;

/// Q2_K and Q3_K (SPEC.md, section F), taken apart ([Groups]): blocks of 256 weights, two bits each
/// of which lie alike, in two halves of 128.
///
/// ```
/// Q2_K   s[16] | q[64] | d:f16 | dmin:f16      (d * sc) * value - dmin * mn
///        s[e / 16]   low nibble: sc, high: mn
/// Q3_K   h[32] | q[64] | s[12] | d:f16         (d * (sc[e / 16] - 32)) * (value - 4)
///        h[c]        bit j: third bit of element 32j + c
///        s           sc[j] of 6 bits each: nibble j / 8 of s[j % 8], and
///                    above it bits 2 * (j / 4) and 2 * (j / 4) + 1 of s[8 + j % 4]
///
/// half H, quarter k, column c < 32: element 128H + 32k + c has bits 2k and 2k + 1 of q[32H + c]
/// ```
public final class BlocksK2 {
  private static final int BLOCK = 256;
  private static final int QUARTER = 32;
  private static final int BYTES_2 = 16 + BLOCK / 4 + 4;
  private static final int BYTES_3 = BLOCK / 8 + BLOCK / 4 + 12 + 2;

  /// The lowest two bits of two bytes, and the third.
  private static final short LOW = 0x0303;

  private static final short THIRD = 0x0404;

  /// Where the integers of scales and minimums are before they are multiplied: 16 bytes a block. At
  /// first the minimums are where their products will be.
  private static final long SC = Groups.ROOM;

  private static final int NIBBLES = 0x0F0F_0F0F;
  private static final int UPPER = 0x3030_3030;

  private BlocksK2() {}

  public static void q2_K(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    MemorySegment w = m.data();
    long block = Blocks.offset(m, row, from);
    int blocks = count / BLOCK;
    for (int i = 0; i < blocks; i++) {
      twoBits(w, block + 16 + (long) BYTES_2 * i, g, at + (long) BLOCK * i);
    }
    long sc = at + SC;
    for (int i = 0; i < blocks; i++) {
      ByteVector.fromMemorySegment(SPECIES_128, w, block + (long) BYTES_2 * i, LITTLE_ENDIAN)
          .and((byte) 15)
          .intoMemorySegment(g, sc + 16L * i, LITTLE_ENDIAN);
    }
    Blocks.scales16(m, block + 80, 1, blocks, g, sc, at + Groups.SCALES);
    for (int i = 0; i < blocks; i++) {
      ByteVector.fromMemorySegment(SPECIES_128, w, block + (long) BYTES_2 * i, LITTLE_ENDIAN)
          .reinterpretAsShorts()
          .lanewise(LSHR, 4)
          .reinterpretAsBytes()
          .and((byte) 15)
          .intoMemorySegment(g, sc + 16L * i, LITTLE_ENDIAN);
    }
    Blocks.scales16(m, block + 82, -1, blocks, g, sc, at + Groups.OFFSETS);
  }

  public static void q3_K(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    MemorySegment w = m.data();
    long block = Blocks.offset(m, row, from);
    int blocks = count / BLOCK;
    for (int i = 0; i < blocks; i++) {
      threeBits(w, block + (long) BYTES_3 * i, g, at + (long) BLOCK * i);
    }
    long sc = at + SC;
    for (int i = 0; i < blocks; i++) {
      long s = block + 96 + (long) BYTES_3 * i;
      long to = sc + 16L * i;
      int s0 = w.get(I32, s);
      int s1 = w.get(I32, s + 4);
      int s2 = w.get(I32, s + 8);
      g.set(I32, to, s0 & NIBBLES | s2 << 4 & UPPER);
      g.set(I32, to + 4, s1 & NIBBLES | s2 << 2 & UPPER);
      g.set(I32, to + 8, s0 >>> 4 & NIBBLES | s2 & UPPER);
      g.set(I32, to + 12, s1 >>> 4 & NIBBLES | s2 >>> 2 & UPPER);
    }
    for (int i = 0; i < blocks; i++) {
      ByteVector.fromMemorySegment(SPECIES_128, g, sc + 16L * i, LITTLE_ENDIAN)
          .sub((byte) 32)
          .intoMemorySegment(g, sc + 16L * i, LITTLE_ENDIAN);
    }
    Blocks.scales16(m, block + 108, 1, blocks, g, sc, at + Groups.SCALES);
  }

  /// The values of a block of Q2_K, whose bits are at `q`.
  private static void twoBits(MemorySegment w, long q, MemorySegment g, long at) {
    for (int half = 0; half < 2; half++) {
      for (int c = 0; c < QUARTER; c += B_PART.length()) {
        long to = at + 128L * half + c;
        ShortVector b =
            ByteVector.fromMemorySegment(B_PART, w, q + 32L * half + c, LITTLE_ENDIAN)
                .reinterpretAsShorts();
        ByteVector b0 = b.and(LOW).reinterpretAsBytes();
        ByteVector b1 = b.lanewise(LSHR, 2).and(LOW).reinterpretAsBytes();
        ByteVector b2 = b.lanewise(LSHR, 4).and(LOW).reinterpretAsBytes();
        ByteVector b3 = b.lanewise(LSHR, 6).and(LOW).reinterpretAsBytes();
        b0.intoMemorySegment(g, to, LITTLE_ENDIAN);
        b1.intoMemorySegment(g, to + QUARTER, LITTLE_ENDIAN);
        b2.intoMemorySegment(g, to + 2 * QUARTER, LITTLE_ENDIAN);
        b3.intoMemorySegment(g, to + 3 * QUARTER, LITTLE_ENDIAN);
      }
    }
  }

  /// The values of a block of Q3_K.
  private static void threeBits(MemorySegment w, long block, MemorySegment g, long at) {
    for (int half = 0; half < 2; half++) {
      for (int c = 0; c < QUARTER; c += B_PART.length()) {
        long to = at + 128L * half + c;
        ShortVector b =
            ByteVector.fromMemorySegment(B_PART, w, block + 32 + 32L * half + c, LITTLE_ENDIAN)
                .reinterpretAsShorts();
        ShortVector h =
            ByteVector.fromMemorySegment(B_PART, w, block + c, LITTLE_ENDIAN)
                .reinterpretAsShorts()
                .lanewise(LSHR, 4 * half);
        ShortVector q0 = b.and(LOW).or(h.lanewise(LSHL, 2).and(THIRD));
        ShortVector q1 = b.lanewise(LSHR, 2).and(LOW).or(h.lanewise(LSHL, 1).and(THIRD));
        ShortVector q2 = b.lanewise(LSHR, 4).and(LOW).or(h.and(THIRD));
        ShortVector q3 = b.lanewise(LSHR, 6).and(LOW).or(h.lanewise(LSHR, 1).and(THIRD));
        ByteVector b0 = q0.reinterpretAsBytes().sub((byte) 4);
        ByteVector b1 = q1.reinterpretAsBytes().sub((byte) 4);
        ByteVector b2 = q2.reinterpretAsBytes().sub((byte) 4);
        ByteVector b3 = q3.reinterpretAsBytes().sub((byte) 4);
        b0.intoMemorySegment(g, to, LITTLE_ENDIAN);
        b1.intoMemorySegment(g, to + QUARTER, LITTLE_ENDIAN);
        b2.intoMemorySegment(g, to + 2 * QUARTER, LITTLE_ENDIAN);
        b3.intoMemorySegment(g, to + 3 * QUARTER, LITTLE_ENDIAN);
      }
    }
  }
}

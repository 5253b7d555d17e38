package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.B_PART;
import static dev.quern.provider.vector.Lanes.I32;
import static dev.quern.provider.vector.Lanes.B;
import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.F32;
import static dev.quern.provider.vector.Lanes.I;
import static dev.quern.provider.vector.Lanes.L;
import static jdk.incubator.vector.ByteVector.SPECIES_128;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShuffle;
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

  private static final VectorShuffle<Byte> TWICE_LOW = VectorShuffle.fromOp(SPECIES_128, i -> i / 2);
  private static final VectorShuffle<Byte> TWICE_HIGH =
      VectorShuffle.fromOp(SPECIES_128, i -> 8 + i / 2);

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
    twice(blocks, g, at);
    Blocks.scales16(w, block, bytes, 1, blocks, g, at + SC, at + Groups.SCALES);
    Blocks.scales16(w, block + 2, bytes, -1, blocks, g, at + MN, at + Groups.OFFSETS);
  }

  /// The scales and minimums as bytes: 8 of each for a block.
  ///
  /// @param s those of the first block
  private static void integers(
      MemorySegment w, long s, int bytes, int blocks, MemorySegment g, long at) {
    for (int i = 0; i < blocks; i++) {
      long from = s + (long) bytes * i;
      long to = at + SC + 16L * i;
      int s0 = w.get(I32, from);
      int s1 = w.get(I32, from + 4);
      int s2 = w.get(I32, from + 8);
      g.set(I32, to, s0 & 0x3F3F_3F3F);
      g.set(I32, to + 4, s2 & 0x0F0F_0F0F | s0 >>> 2 & 0x3030_3030);
      g.set(I32, to + 8, s1 & 0x3F3F_3F3F);
      g.set(I32, to + 12, s2 >>> 4 & 0x0F0F_0F0F | s1 >>> 2 & 0x3030_3030);
    }
  }

  /// Each of them twice, since a group is half a sub-block.
  private static void twice(int blocks, MemorySegment g, long at) {
    for (int i = 0; i < blocks; i++) {
      ByteVector b = ByteVector.fromMemorySegment(SPECIES_128, g, at + SC + 16L * i, LITTLE_ENDIAN);
      b.rearrange(TWICE_LOW).intoMemorySegment(g, at + SC + 16L * i, LITTLE_ENDIAN);
      b.rearrange(TWICE_HIGH).intoMemorySegment(g, at + MN + 16L * i, LITTLE_ENDIAN);
    }
  }

  /// Two rows of Q4_K.
  static void dotQ4_K(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long g = at + Groups.SUMS;
    long r0 = Blocks.offset(m, row0, 0);
    long r1 = Blocks.offset(m, row1, 0);
    Groups.clear(sums, at);
    for (int i = 0; i < m.inputs(); i += Groups.MAX) {
      int n = Math.min(Groups.MAX, m.inputs() - i);
      long first = (long) (i / BLOCK) * BYTES_4;
      scalesAndMins(w, r0 + first, BYTES_4, n / BLOCK, sums, g);
      scalesAndMins(w, r1 + first, BYTES_4, n / BLOCK, sums, g + Groups.BYTES);
      multiply(w, r0 + first + 16, r1 + first + 16, n / (2 * SUB), x, xAt + 4L * i, sums, g, at);
    }
  }

  /// @param n0 the nibbles of the first block of a row
  /// @param n1 of another
  /// @param pairs of sub-blocks
  /// @param g the rows' scales and offsets at `s`, their sums at `at`
  private static void multiply(
      MemorySegment w, long n0, long n1, int pairs, MemorySegment x, long xAt, MemorySegment g, long s, long at) {
    FloatVector a0 = FloatVector.fromMemorySegment(F, g, at, LITTLE_ENDIAN);
    FloatVector a1 = FloatVector.fromMemorySegment(F, g, at + Lanes.BYTES, LITTLE_ENDIAN);
    for (int c = 0; c < pairs; c++) {
      long n = (c >> 2) * (long) BYTES_4 + 32 * (c & 3);
      FloatVector s0 = FloatVector.broadcast(F, g.get(F32, s + Groups.SCALES + 16L * c));
      FloatVector t0 = FloatVector.broadcast(F, g.get(F32, s + Groups.SCALES + 16L * c + 8));
      FloatVector m0 = FloatVector.broadcast(F, g.get(F32, s + Groups.OFFSETS + 16L * c));
      FloatVector o0 = FloatVector.broadcast(F, g.get(F32, s + Groups.OFFSETS + 16L * c + 8));
      FloatVector s1 = FloatVector.broadcast(F, g.get(F32, s + Groups.BYTES + Groups.SCALES + 16L * c));
      FloatVector t1 = FloatVector.broadcast(F, g.get(F32, s + Groups.BYTES + Groups.SCALES + 16L * c + 8));
      FloatVector m1 = FloatVector.broadcast(F, g.get(F32, s + Groups.BYTES + Groups.OFFSETS + 16L * c));
      FloatVector o1 = FloatVector.broadcast(F, g.get(F32, s + Groups.BYTES + Groups.OFFSETS + 16L * c + 8));
      FloatVector x0 = FloatVector.fromMemorySegment(F, x, xAt + 256L * c, LITTLE_ENDIAN);
      FloatVector y0 = FloatVector.fromMemorySegment(F, x, xAt + 256L * c + 4 * SUB, LITTLE_ENDIAN);
      ByteVector b00 = ByteVector.fromMemorySegment(B, w, n0 + n, LITTLE_ENDIAN);
      IntVector i00 = (IntVector) b00.convertShape(ZERO_EXTEND_B2I, I, 0);
      a0 = ((FloatVector) i00.and(15).convert(I2F, 0)).fma(s0, m0).fma(x0, a0);
      a0 = ((FloatVector) i00.lanewise(LSHR, 4).convert(I2F, 0)).fma(t0, o0).fma(y0, a0);
      ByteVector b10 = ByteVector.fromMemorySegment(B, w, n1 + n, LITTLE_ENDIAN);
      IntVector i10 = (IntVector) b10.convertShape(ZERO_EXTEND_B2I, I, 0);
      a1 = ((FloatVector) i10.and(15).convert(I2F, 0)).fma(s1, m1).fma(x0, a1);
      a1 = ((FloatVector) i10.lanewise(LSHR, 4).convert(I2F, 0)).fma(t1, o1).fma(y0, a1);
      FloatVector x1 = FloatVector.fromMemorySegment(F, x, xAt + 256L * c + 4 * L, LITTLE_ENDIAN);
      FloatVector y1 = FloatVector.fromMemorySegment(F, x, xAt + 256L * c + 4 * SUB + 4 * L, LITTLE_ENDIAN);
      ByteVector b01 = ByteVector.fromMemorySegment(B, w, n0 + n + L, LITTLE_ENDIAN);
      IntVector i01 = (IntVector) b01.convertShape(ZERO_EXTEND_B2I, I, 0);
      a0 = ((FloatVector) i01.and(15).convert(I2F, 0)).fma(s0, m0).fma(x1, a0);
      a0 = ((FloatVector) i01.lanewise(LSHR, 4).convert(I2F, 0)).fma(t0, o0).fma(y1, a0);
      ByteVector b11 = ByteVector.fromMemorySegment(B, w, n1 + n + L, LITTLE_ENDIAN);
      IntVector i11 = (IntVector) b11.convertShape(ZERO_EXTEND_B2I, I, 0);
      a1 = ((FloatVector) i11.and(15).convert(I2F, 0)).fma(s1, m1).fma(x1, a1);
      a1 = ((FloatVector) i11.lanewise(LSHR, 4).convert(I2F, 0)).fma(t1, o1).fma(y1, a1);
      if (L == 8) {
        FloatVector x2 = FloatVector.fromMemorySegment(F, x, xAt + 256L * c + 8 * L, LITTLE_ENDIAN);
        FloatVector y2 = FloatVector.fromMemorySegment(F, x, xAt + 256L * c + 4 * SUB + 8 * L, LITTLE_ENDIAN);
        ByteVector b02 = ByteVector.fromMemorySegment(B, w, n0 + n + 2 * L, LITTLE_ENDIAN);
        IntVector i02 = (IntVector) b02.convertShape(ZERO_EXTEND_B2I, I, 0);
        a0 = ((FloatVector) i02.and(15).convert(I2F, 0)).fma(s0, m0).fma(x2, a0);
        a0 = ((FloatVector) i02.lanewise(LSHR, 4).convert(I2F, 0)).fma(t0, o0).fma(y2, a0);
        ByteVector b12 = ByteVector.fromMemorySegment(B, w, n1 + n + 2 * L, LITTLE_ENDIAN);
        IntVector i12 = (IntVector) b12.convertShape(ZERO_EXTEND_B2I, I, 0);
        a1 = ((FloatVector) i12.and(15).convert(I2F, 0)).fma(s1, m1).fma(x2, a1);
        a1 = ((FloatVector) i12.lanewise(LSHR, 4).convert(I2F, 0)).fma(t1, o1).fma(y2, a1);
        FloatVector x3 = FloatVector.fromMemorySegment(F, x, xAt + 256L * c + 12 * L, LITTLE_ENDIAN);
        FloatVector y3 = FloatVector.fromMemorySegment(F, x, xAt + 256L * c + 4 * SUB + 12 * L, LITTLE_ENDIAN);
        ByteVector b03 = ByteVector.fromMemorySegment(B, w, n0 + n + 3 * L, LITTLE_ENDIAN);
        IntVector i03 = (IntVector) b03.convertShape(ZERO_EXTEND_B2I, I, 0);
        a0 = ((FloatVector) i03.and(15).convert(I2F, 0)).fma(s0, m0).fma(x3, a0);
        a0 = ((FloatVector) i03.lanewise(LSHR, 4).convert(I2F, 0)).fma(t0, o0).fma(y3, a0);
        ByteVector b13 = ByteVector.fromMemorySegment(B, w, n1 + n + 3 * L, LITTLE_ENDIAN);
        IntVector i13 = (IntVector) b13.convertShape(ZERO_EXTEND_B2I, I, 0);
        a1 = ((FloatVector) i13.and(15).convert(I2F, 0)).fma(s1, m1).fma(x3, a1);
        a1 = ((FloatVector) i13.lanewise(LSHR, 4).convert(I2F, 0)).fma(t1, o1).fma(y3, a1);
      }
    }
    a0.intoMemorySegment(g, at, LITTLE_ENDIAN);
    a1.intoMemorySegment(g, at + Lanes.BYTES, LITTLE_ENDIAN);
  }
}

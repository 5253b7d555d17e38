package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Lanes.B;
import static dev.quern.provider.vector.lanes.Lanes.B_PART;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.F32;
import static dev.quern.provider.vector.lanes.Lanes.I;
import static dev.quern.provider.vector.lanes.Lanes.I32;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.ByteVector.SPECIES_128;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;

import dev.quern.data.WeightMatrix;
import dev.quern.provider.vector.lanes.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShuffle;

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
public final class BlocksK {
  private static final int BLOCK = 256;
  private static final int SUB = 32;
  private static final int PAIRS = 4; // of sub-blocks
  private static final int STEPS = Math.max(1, SUB / (2 * L)); // of a pair, in multiply
  private static final int BYTES_4 = 16 + BLOCK / 2;
  private static final int BYTES_5 = 16 + SUB + BLOCK / 2;

  /// The low nibbles of two bytes, their lowest bits, and the next ones.
  private static final short LOW = 0x0F0F;

  private static final short BIT_0 = 0x0101;
  private static final short BIT_1 = 0x0202;

  /// Where the integers of scales and minimums are before they are multiplied: 16 bytes a block. At
  /// first both are where those of the scales will be.
  private static final long SC = Groups.ROOM;

  private static final long MN = SC + Groups.MAX / Groups.GROUP;

  private static final VectorShuffle<Byte> TWICE_LOW =
      VectorShuffle.fromOp(SPECIES_128, i -> i / 2);
  private static final VectorShuffle<Byte> TWICE_HIGH =
      VectorShuffle.fromOp(SPECIES_128, i -> 8 + i / 2);

  private BlocksK() {}

  public static void q4_K(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    MemorySegment w = m.data();
    long block = Blocks.offset(m, row, from);
    for (int i = 0; i < count / BLOCK; i++) {
      nibbles(w, block + (long) BYTES_4 * i, g, at + (long) BLOCK * i);
    }
    scalesAndMins(m, block, count / BLOCK, g, at);
  }

  public static void q5_K(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    MemorySegment w = m.data();
    long block = Blocks.offset(m, row, from);
    for (int i = 0; i < count / BLOCK; i++) {
      values(w, block + (long) BYTES_5 * i, g, at + (long) BLOCK * i);
    }
    scalesAndMins(m, block, count / BLOCK, g, at);
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
      WeightMatrix m, long block, int blocks, MemorySegment g, long at) {
    integers(m.data(), block + 4, m.format().blockBytes(), blocks, g, at);
    twice(blocks, g, at);
    Blocks.scales16(m, block, 1, blocks, g, at + SC, at + Groups.SCALES);
    Blocks.scales16(m, block + 2, -1, blocks, g, at + MN, at + Groups.OFFSETS);
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

  /// Multiplies two rows of Q4_K, straight from their nibbles, where there are vectors of L bytes.
  public static void dotQ4_K(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    Groups.clear(sums, at);
    dotQ4_K(m, row0, x, xAt, sums, at);
    dotQ4_K(m, row1, x, xAt, sums, at + Lanes.BYTES);
  }

  private static void dotQ4_K(
      WeightMatrix m, int row, MemorySegment x, long xAt, MemorySegment g, long sums) {
    MemorySegment w = m.data();
    long block = Blocks.offset(m, row, 0);
    for (int i = 0; i < m.inputs(); i += Groups.MAX) {
      int n = Math.min(Groups.MAX, m.inputs() - i);
      scalesAndMins(m, block, n / BLOCK, g, sums + Groups.SUMS);
      multiply(w, block + 16, n / (2 * SUB), x, xAt + 4L * i, g, sums);
      block += (long) (n / BLOCK) * BYTES_4;
    }
  }

  /// Adds the products of a part of a row to its sums. One row at a time: C2 keeps what two need in
  /// AVX2's 16 registers badly. Two vectors of bytes a step: with four, in some runs C2 boxed one
  /// of them (docs/decisions.md).
  ///
  /// @param nibbles of the first block
  /// @param pairs of sub-blocks
  /// @param g the sums, `[L]`, at `sums`; scales and offsets [Groups#SUMS] bytes behind them
  private static void multiply(
      MemorySegment w,
      long nibbles,
      int pairs,
      MemorySegment x,
      long xAt,
      MemorySegment g,
      long sums) {
    long at = sums + Groups.SUMS;
    FloatVector a0 = FloatVector.fromMemorySegment(F, g, sums, LITTLE_ENDIAN);
    FloatVector a1 = FloatVector.zero(F);
    for (int step = 0; step < STEPS * pairs; step++) {
      int c = step / STEPS;
      int l = 2 * L * (step % STEPS);
      long n = nibbles + (long) (c / PAIRS) * BYTES_4 + SUB * (c % PAIRS) + l;
      long x0 = xAt + 8L * SUB * c + 4L * l;
      long x1 = x0 + 4L * SUB;
      FloatVector s0 = FloatVector.broadcast(F, g.get(F32, at + Groups.SCALES + 16L * c));
      FloatVector s1 = FloatVector.broadcast(F, g.get(F32, at + Groups.SCALES + 16L * c + 8));
      FloatVector m0 = FloatVector.broadcast(F, g.get(F32, at + Groups.OFFSETS + 16L * c));
      FloatVector m1 = FloatVector.broadcast(F, g.get(F32, at + Groups.OFFSETS + 16L * c + 8));
      ByteVector b0 = ByteVector.fromMemorySegment(B, w, n, LITTLE_ENDIAN);
      IntVector n0 = (IntVector) b0.convertShape(ZERO_EXTEND_B2I, I, 0);
      FloatVector u0 = ((FloatVector) n0.and(15).convert(I2F, 0)).fma(s0, m0);
      FloatVector v0 = ((FloatVector) n0.lanewise(LSHR, 4).convert(I2F, 0)).fma(s1, m1);
      a0 = u0.fma(FloatVector.fromMemorySegment(F, x, x0, LITTLE_ENDIAN), a0);
      a1 = v0.fma(FloatVector.fromMemorySegment(F, x, x1, LITTLE_ENDIAN), a1);
      ByteVector b1 = ByteVector.fromMemorySegment(B, w, n + L, LITTLE_ENDIAN);
      IntVector n1 = (IntVector) b1.convertShape(ZERO_EXTEND_B2I, I, 0);
      FloatVector u1 = ((FloatVector) n1.and(15).convert(I2F, 0)).fma(s0, m0);
      FloatVector v1 = ((FloatVector) n1.lanewise(LSHR, 4).convert(I2F, 0)).fma(s1, m1);
      a0 = u1.fma(FloatVector.fromMemorySegment(F, x, x0 + 4 * L, LITTLE_ENDIAN), a0);
      a1 = v1.fma(FloatVector.fromMemorySegment(F, x, x1 + 4 * L, LITTLE_ENDIAN), a1);
    }
    a0.add(a1).intoMemorySegment(g, sums, LITTLE_ENDIAN);
  }
}

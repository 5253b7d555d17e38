package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Lanes.B_PART;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.ShortVector;

/// Q6_K (SPEC.md, section F), taken apart ([Groups]): blocks of 256 weights in two halves of 128.
///
/// ```
/// l[128] | h[64] | sc[16]:i8 | d:f16        (d * sc[e / 16]) * (value - 32), e of the block
///
/// half H, quarter q, column c < 32: element 128H + 32q + c
///   quarter 0  low  nibble of l[64H + c],      bits 0-1 of h[32H + c]
///   quarter 1  low  nibble of l[64H + 32 + c], bits 2-3
///   quarter 2  high nibble of l[64H + c],      bits 4-5
///   quarter 3  high nibble of l[64H + 32 + c], bits 6-7
/// ```
public final class BlocksQ6K {
  private static final int BLOCK = 256;
  private static final int BYTES = 210;
  private static final int QUARTER = 32;
  private static final int HIGH = 128;
  private static final int SCALES = 192;
  private static final int D = 208;

  /// The low nibbles of two bytes, and bits 4 and 5.
  private static final short LOW = 0x0F0F;

  private static final short UPPER = 0x3030;

  private BlocksQ6K() {}

  public static void q6_K(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    MemorySegment w = m.data();
    long block = Blocks.offset(m, row, from);
    int blocks = count / BLOCK;
    for (int i = 0; i < blocks; i++) {
      values(w, block + (long) BYTES * i, g, at + (long) BLOCK * i);
    }
    long sc = at + Groups.ROOM;
    for (int i = 0; i < blocks; i++) {
      ByteVector.fromMemorySegment(
              ByteVector.SPECIES_128, w, block + (long) BYTES * i + SCALES, LITTLE_ENDIAN)
          .intoMemorySegment(g, sc + 16L * i, LITTLE_ENDIAN);
    }
    Blocks.scales16(m, block + D, 1, blocks, g, sc, at + Groups.SCALES);
  }

  /// The values of a block.
  private static void values(MemorySegment w, long block, MemorySegment g, long at) {
    for (int half = 0; half < 2; half++) {
      for (int c = 0; c < QUARTER; c += B_PART.length()) {
        long l = block + 64L * half + c;
        long h = block + HIGH + 32L * half + c;
        long to = at + 128L * half + c;
        ShortVector l0 =
            ByteVector.fromMemorySegment(B_PART, w, l, LITTLE_ENDIAN).reinterpretAsShorts();
        ShortVector l1 =
            ByteVector.fromMemorySegment(B_PART, w, l + QUARTER, LITTLE_ENDIAN)
                .reinterpretAsShorts();
        ShortVector hs =
            ByteVector.fromMemorySegment(B_PART, w, h, LITTLE_ENDIAN).reinterpretAsShorts();
        ShortVector q0 = l0.and(LOW).or(hs.lanewise(LSHL, 4).and(UPPER));
        ShortVector q1 = l1.and(LOW).or(hs.lanewise(LSHL, 2).and(UPPER));
        ShortVector q2 = l0.lanewise(LSHR, 4).and(LOW).or(hs.and(UPPER));
        ShortVector q3 = l1.lanewise(LSHR, 4).and(LOW).or(hs.lanewise(LSHR, 2).and(UPPER));
        ByteVector b0 = q0.reinterpretAsBytes().sub((byte) 32);
        ByteVector b1 = q1.reinterpretAsBytes().sub((byte) 32);
        ByteVector b2 = q2.reinterpretAsBytes().sub((byte) 32);
        ByteVector b3 = q3.reinterpretAsBytes().sub((byte) 32);
        b0.intoMemorySegment(g, to, LITTLE_ENDIAN);
        b1.intoMemorySegment(g, to + QUARTER, LITTLE_ENDIAN);
        b2.intoMemorySegment(g, to + 2 * QUARTER, LITTLE_ENDIAN);
        b3.intoMemorySegment(g, to + 3 * QUARTER, LITTLE_ENDIAN);
      }
    }
  }
}

package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Lanes.I32;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.IntVector.SPECIES_128;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;

/// Weights of 5 bits (SPEC.md, section F), taken apart ([Groups]). Nibbles as in Q4_0; bit i of h
/// is the fifth bit of element i:
///
/// ```
/// Q5_0   d:f16 | h:u32 | n[16]            d * (value - 16)
/// Q5_1   d:f16 | m:f16 | h:u32 | n[16]    d * value + m
/// ```
public final class Blocks5 {
  private static final int BLOCK = 32;
  private static final int HALF = BLOCK / 2;

  /// Four bits for each lane of 32: those of the elements 0 .. 15, and of the others.
  private static final IntVector LOW = IntVector.zero(SPECIES_128).addIndex(4);

  private static final IntVector HIGH = IntVector.broadcast(SPECIES_128, 16).addIndex(4);

  /// Times this, bit k of four is bit 8k + 4.
  private static final int SPREAD = 1 << 4 | 1 << 11 | 1 << 18 | 1 << 25;

  private static final int NIBBLES = 0x0F0F_0F0F;
  private static final int FIFTH = 0x1010_1010;

  private Blocks5() {}

  public static void q5_0(WeightMatrix w, int row, int from, int count, MemorySegment g, long at) {
    values(w, Blocks.offset(w, row, from) + 2, count, 16, g, at);
    Blocks.scales(w, row, from, count, g, at);
  }

  public static void q5_1(WeightMatrix w, int row, int from, int count, MemorySegment g, long at) {
    values(w, Blocks.offset(w, row, from) + 4, count, 0, g, at);
    Blocks.scalesAndOffsets(w, row, from, count, g, at);
  }

  /// @param h offset of the first block's fifth bits
  /// @param bias what is subtracted
  private static void values(
      WeightMatrix m, long h, int count, int bias, MemorySegment g, long at) {
    MemorySegment w = m.data();
    int bytes = m.format().blockBytes();
    for (int i = 0; i < count / BLOCK; i++) {
      long block = h + (long) bytes * i;
      long to = at + (long) BLOCK * i;
      IntVector n = IntVector.fromMemorySegment(SPECIES_128, w, block + 4, LITTLE_ENDIAN);
      IntVector bits = IntVector.broadcast(SPECIES_128, w.get(I32, block));
      IntVector low = bits.lanewise(LSHR, LOW).and(15).mul(SPREAD).and(FIFTH);
      IntVector high = bits.lanewise(LSHR, HIGH).and(15).mul(SPREAD).and(FIFTH);
      ByteVector b0 = n.and(NIBBLES).or(low).reinterpretAsBytes();
      ByteVector b1 = n.lanewise(LSHR, 4).and(NIBBLES).or(high).reinterpretAsBytes();
      b0.sub((byte) bias).intoMemorySegment(g, to, LITTLE_ENDIAN);
      b1.sub((byte) bias).intoMemorySegment(g, to + HALF, LITTLE_ENDIAN);
    }
  }
}

package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.F32;
import static dev.quern.provider.vector.Lanes.I16;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.ByteVector.SPECIES_128;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2S;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.ShortVector;

/// Weights of 4 bits (SPEC.md, section F), taken apart ([Groups]):
///
/// ```
/// Q4_0      d:f16 | n[16]              low nibble of n[j]: element j, high: element j + 16
///                                      d * (nibble - 8)
/// Q4_1      d:f16 | m:f16 | n[16]      as Q4_0, d * nibble + m
/// INT4_Bg   n[g/2], scale:bf16         low nibble of n[j]: element 2j, high: element 2j + 1
///                                      scale * (nibble - 8)
/// ```
final class Blocks4 {
  private static final int BLOCK = 32;
  private static final int HALF = BLOCK / 2;

  private Blocks4() {}

  static void q4_0(WeightMatrix w, int row, int from, int count, MemorySegment g, long at) {
    nibbles(w, row, from, count, 2, 8, g, at);
    Blocks.scales(w, row, from, count, g, at);
  }

  static void q4_1(WeightMatrix w, int row, int from, int count, MemorySegment g, long at) {
    nibbles(w, row, from, count, 4, 0, g, at);
    Blocks.scalesAndOffsets(w, row, from, count, g, at);
  }

  /// @param first offset of the nibbles in a block
  /// @param bias what is subtracted
  private static void nibbles(
      WeightMatrix m, int row, int from, int count, int first, int bias, MemorySegment g, long at) {
    MemorySegment w = m.data();
    int bytes = m.format().blockBytes();
    long n = Blocks.offset(m, row, from) + first;
    for (int i = 0; i < count / BLOCK; i++) {
      long to = at + (long) BLOCK * i;
      ByteVector b =
          ByteVector.fromMemorySegment(SPECIES_128, w, n + (long) bytes * i, LITTLE_ENDIAN);
      ByteVector high = b.reinterpretAsShorts().lanewise(LSHR, 4).reinterpretAsBytes();
      b.and((byte) 15).sub((byte) bias).intoMemorySegment(g, to, LITTLE_ENDIAN);
      high.and((byte) 15).sub((byte) bias).intoMemorySegment(g, to + HALF, LITTLE_ENDIAN);
    }
  }

  static void int4(WeightMatrix m, int row, int from, int count, MemorySegment g, long at) {
    pairs(m.data(), Blocks.offset(m, row, from), count, g, at);
    MemorySegment scales = m.scales();
    int groups = m.format().blockElements() / Groups.GROUP; // of a block
    long first = 2 * Blocks.index(m, row, from);
    for (int i = 0; i < count / Groups.GROUP; i++) {
      short d = scales.get(I16, first + 2L * (i / groups));
      g.set(F32, at + Groups.SCALES + 4L * i, Float.intBitsToFloat(d << 16));
    }
  }

  /// Bytes to two elements each: a byte becomes a short, whose upper byte takes the upper nibble.
  private static void pairs(MemorySegment w, long n, int count, MemorySegment g, long at) {
    for (int i = 0; i < count / 16; i++) {
      ByteVector b =
          ByteVector.fromMemorySegment(ByteVector.SPECIES_64, w, n + 8L * i, LITTLE_ENDIAN);
      ShortVector s = (ShortVector) b.convertShape(ZERO_EXTEND_B2S, ShortVector.SPECIES_128, 0);
      ByteVector both = s.or(s.lanewise(LSHL, 4)).reinterpretAsBytes();
      both.and((byte) 15).sub((byte) 8).intoMemorySegment(g, at + 16L * i, LITTLE_ENDIAN);
    }
  }
}

package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.I;
import static dev.quern.provider.vector.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// Q4_K and Q5_K (SPEC.md, section F): blocks of 256 weights in 8 sub-blocks of 32.
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

  private BlocksK() {}

  static void decodeQ4_K(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment src = w.data();
    long first = Blocks.offset(w, row, from);
    for (int c = 0; c < count / (2 * SUB); c++) { // pairs of sub-blocks
      long block = first + (long) (c / PAIRS) * BYTES_4;
      int j = 2 * (c % PAIRS);
      float d = Lanes.scalarF16(src, block);
      float dmin = Lanes.scalarF16(src, block + 2);
      long sc = scales(src, block);
      long mn = mins(src, block);
      float sc0 = d * at(sc, j);
      float sc1 = d * at(sc, j + 1);
      float mn0 = dmin * at(mn, j);
      float mn1 = dmin * at(mn, j + 1);
      long n = block + 16 + 16L * j;
      long to = at + 4L * (2 * SUB) * c;
      for (int l = 0; l < SUB; l += L) {
        IntVector pair = Lanes.u8(src, n + l);
        FloatVector low = Lanes.toFloat(Blocks4.low(pair));
        FloatVector high = Lanes.toFloat(Blocks4.high(pair));
        Lanes.store(low.mul(sc0).sub(mn0), dst, to + 4L * l);
        Lanes.store(high.mul(sc1).sub(mn1), dst, to + 4L * (l + SUB));
      }
    }
  }

  static void decodeQ5_K(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment src = w.data();
    long first = Blocks.offset(w, row, from);
    for (int c = 0; c < count / (2 * SUB); c++) {
      long block = first + (long) (c / PAIRS) * BYTES_5;
      int j = 2 * (c % PAIRS);
      float d = Lanes.scalarF16(src, block);
      float dmin = Lanes.scalarF16(src, block + 2);
      long sc = scales(src, block);
      long mn = mins(src, block);
      float sc0 = d * at(sc, j);
      float sc1 = d * at(sc, j + 1);
      float mn0 = dmin * at(mn, j);
      float mn1 = dmin * at(mn, j + 1);
      long h = block + 16;
      long n = h + SUB + 16L * j;
      long to = at + 4L * (2 * SUB) * c;
      for (int l = 0; l < SUB; l += L) {
        IntVector pair = Lanes.u8(src, n + l);
        IntVector fifth = Lanes.u8(src, h + l).lanewise(LSHR, IntVector.broadcast(I, j));
        IntVector low = pair.and(15).or(fifth.and(1).lanewise(LSHL, 4));
        IntVector high = pair.lanewise(LSHR, 4).or(fifth.and(2).lanewise(LSHL, 3));
        FloatVector w0 = ((FloatVector) low.convert(I2F, 0)).mul(sc0).sub(mn0);
        FloatVector w1 = ((FloatVector) high.convert(I2F, 0)).mul(sc1).sub(mn1);
        w0.intoMemorySegment(dst, to + 4L * l, LITTLE_ENDIAN);
        w1.intoMemorySegment(dst, to + 4L * (l + SUB), LITTLE_ENDIAN);
      }
    }
  }

  static void dotQ4_K(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    dotQ4_K(m, row0, x, xAt, sums, at);
    dotQ4_K(m, row1, x, xAt, sums, at + Lanes.BYTES);
  }

  /// One row: the low and the high nibbles are two sums already.
  private static void dotQ4_K(
      WeightMatrix m, int row, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long first = Blocks.offset(m, row, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    for (int c = 0; c < m.inputs() / (2 * SUB); c++) {
      long block = first + (long) (c / PAIRS) * BYTES_4;
      int j = 2 * (c % PAIRS);
      float d = Lanes.scalarF16(w, block);
      float dmin = Lanes.scalarF16(w, block + 2);
      long sc = scales(w, block);
      long mn = mins(w, block);
      FloatVector sc0 = FloatVector.broadcast(F, d * at(sc, j));
      FloatVector sc1 = FloatVector.broadcast(F, d * at(sc, j + 1));
      FloatVector mn0 = FloatVector.broadcast(F, -dmin * at(mn, j));
      FloatVector mn1 = FloatVector.broadcast(F, -dmin * at(mn, j + 1));
      long n = block + 16 + 16L * j;
      long xs = xAt + 4L * (2 * SUB) * c;
      for (int l = 0; l < SUB; l += L) {
        IntVector pair = Lanes.u8(w, n + l);
        FloatVector low = Lanes.toFloat(Blocks4.low(pair)).fma(sc0, mn0);
        FloatVector high = Lanes.toFloat(Blocks4.high(pair)).fma(sc1, mn1);
        a0 = low.fma(FloatVector.fromMemorySegment(F, x, xs + 4L * l, LITTLE_ENDIAN), a0);
        a1 = high.fma(FloatVector.fromMemorySegment(F, x, xs + 4L * (l + SUB), LITTLE_ENDIAN), a1);
      }
    }
    a0.add(a1).intoMemorySegment(sums, at, LITTLE_ENDIAN);
  }

  /// The scales of a block, one in each byte, sc[0] in the lowest.
  private static long scales(MemorySegment data, long block) {
    int s0 = Lanes.scalarI32(data, block + 4);
    int s2 = Lanes.scalarI32(data, block + 12);
    return join(s0 & 0x3F3F_3F3F, s2 & 0x0F0F_0F0F | s0 >>> 2 & 0x3030_3030);
  }

  /// The minimums of a block, one in each byte, mn[0] in the lowest.
  private static long mins(MemorySegment data, long block) {
    int s1 = Lanes.scalarI32(data, block + 8);
    int s2 = Lanes.scalarI32(data, block + 12);
    return join(s1 & 0x3F3F_3F3F, s2 >>> 4 & 0x0F0F_0F0F | s1 >>> 2 & 0x3030_3030);
  }

  private static long join(int low, int high) {
    return low | (long) high << 32;
  }

  /// Byte j of eight, none above 63.
  private static int at(long bytes, int j) {
    return (int) (bytes >>> 8 * j) & 63;
  }
}

package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
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
      FloatVector sc0 = FloatVector.broadcast(F, scale(src, block, j));
      FloatVector sc1 = FloatVector.broadcast(F, scale(src, block, j + 1));
      FloatVector mn0 = FloatVector.broadcast(F, min(src, block, j));
      FloatVector mn1 = FloatVector.broadcast(F, min(src, block, j + 1));
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
      FloatVector sc0 = FloatVector.broadcast(F, scale(src, block, j));
      FloatVector sc1 = FloatVector.broadcast(F, scale(src, block, j + 1));
      FloatVector mn0 = FloatVector.broadcast(F, min(src, block, j));
      FloatVector mn1 = FloatVector.broadcast(F, min(src, block, j + 1));
      long h = block + 16;
      long n = h + SUB + 16L * j;
      long to = at + 4L * (2 * SUB) * c;
      for (int l = 0; l < SUB; l += L) {
        IntVector pair = Lanes.u8(src, n + l);
        IntVector fifth = Lanes.u8(src, h + l).lanewise(LSHR, j);
        IntVector low = Blocks4.low(pair).add(fifth.and(1).lanewise(LSHL, 4));
        IntVector high = Blocks4.high(pair).add(fifth.and(2).lanewise(LSHL, 3));
        Lanes.store(Lanes.toFloat(low).mul(sc0).sub(mn0), dst, to + 4L * l);
        Lanes.store(Lanes.toFloat(high).mul(sc1).sub(mn1), dst, to + 4L * (l + SUB));
      }
    }
  }

  static void dotQ4_K(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment out, long at) {
    out.set(JAVA_FLOAT, at, dotQ4_K(m, row0, x, xAt));
    out.set(JAVA_FLOAT, at + 4, dotQ4_K(m, row1, x, xAt));
  }

  /// One row: the low and the high nibbles are two sums already.
  private static float dotQ4_K(WeightMatrix m, int row, MemorySegment x, long xAt) {
    MemorySegment w = m.data();
    long first = Blocks.offset(m, row, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    for (int c = 0; c < m.inputs() / (2 * SUB); c++) {
      long block = first + (long) (c / PAIRS) * BYTES_4;
      int j = 2 * (c % PAIRS);
      FloatVector sc0 = FloatVector.broadcast(F, scale(w, block, j));
      FloatVector sc1 = FloatVector.broadcast(F, scale(w, block, j + 1));
      FloatVector mn0 = FloatVector.broadcast(F, -min(w, block, j));
      FloatVector mn1 = FloatVector.broadcast(F, -min(w, block, j + 1));
      long n = block + 16 + 16L * j;
      long xs = xAt + 4L * (2 * SUB) * c;
      for (int l = 0; l < SUB; l += L) {
        IntVector pair = Lanes.u8(w, n + l);
        FloatVector low = Lanes.toFloat(Blocks4.low(pair)).fma(sc0, mn0);
        FloatVector high = Lanes.toFloat(Blocks4.high(pair)).fma(sc1, mn1);
        a0 = low.fma(Lanes.f32(x, xs + 4L * l), a0);
        a1 = high.fma(Lanes.f32(x, xs + 4L * (l + SUB)), a1);
      }
    }
    return Lanes.sum(a0.add(a1));
  }

  /// d * sc[j]
  private static float scale(MemorySegment data, long block, int j) {
    long s = block + 4 + j;
    int scale =
        j < 4
            ? data.get(JAVA_BYTE, s) & 63
            : data.get(JAVA_BYTE, s + 4) & 15 | (data.get(JAVA_BYTE, s - 4) & 0xC0) >>> 2;
    return Lanes.scalarF16(data, block) * scale;
  }

  /// dmin * mn[j]
  private static float min(MemorySegment data, long block, int j) {
    long s = block + 4 + j;
    int min =
        j < 4
            ? data.get(JAVA_BYTE, s + 4) & 63
            : (data.get(JAVA_BYTE, s + 4) & 0xF0) >>> 4 | (data.get(JAVA_BYTE, s) & 0xC0) >>> 2;
    return Lanes.scalarF16(data, block + 2) * min;
  }
}

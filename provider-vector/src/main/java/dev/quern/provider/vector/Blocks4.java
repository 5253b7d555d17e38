package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.I;
import static dev.quern.provider.vector.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShuffle;

/// Weights of 4 bits (SPEC.md, section F):
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
  private static final int BYTES_0 = 2 + HALF;
  private static final int BYTES_1 = 4 + HALF;

  /// Lanes 0, 0, 1, 1, ... and those of the upper half, for bytes that become two elements.
  private static final VectorShuffle<Integer> LOWER = VectorShuffle.fromOp(I, l -> l / 2);

  private static final VectorShuffle<Integer> UPPER =
      VectorShuffle.fromOp(I, l -> I.length() / 2 + l / 2);

  /// 0, 4, 0, 4, ...: the first of two elements is the low nibble.
  private static final IntVector NIBBLE = IntVector.zero(I).addIndex(1).and(1).mul(4);

  private Blocks4() {}

  static void decodeQ4_0(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment src = w.data();
    long block = Blocks.offset(w, row, from);
    for (int i = 0; i < count; i += BLOCK, block += BYTES_0) {
      FloatVector d = FloatVector.broadcast(F, Lanes.scalarF16(src, block));
      for (int j = 0; j < HALF; j += L) {
        IntVector n = Lanes.u8(src, block + 2 + j);
        Lanes.store(Lanes.toFloat(low(n).sub(8)).mul(d), dst, at + 4L * (i + j));
        Lanes.store(Lanes.toFloat(high(n).sub(8)).mul(d), dst, at + 4L * (i + j + HALF));
      }
    }
  }

  static void decodeQ4_1(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment src = w.data();
    long block = Blocks.offset(w, row, from);
    for (int i = 0; i < count; i += BLOCK, block += BYTES_1) {
      FloatVector d = FloatVector.broadcast(F, Lanes.scalarF16(src, block));
      FloatVector m = FloatVector.broadcast(F, Lanes.scalarF16(src, block + 2));
      for (int j = 0; j < HALF; j += L) {
        IntVector n = Lanes.u8(src, block + 4 + j);
        Lanes.store(Lanes.toFloat(low(n)).mul(d).add(m), dst, at + 4L * (i + j));
        Lanes.store(Lanes.toFloat(high(n)).mul(d).add(m), dst, at + 4L * (i + j + HALF));
      }
    }
  }

  static void dotQ4_0(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    long b0 = Blocks.offset(m, row0, 0);
    long b1 = Blocks.offset(m, row1, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    for (int i = 0; i < m.inputs(); i += BLOCK, b0 += BYTES_0, b1 += BYTES_0) {
      FloatVector s0 = FloatVector.zero(F);
      FloatVector s1 = FloatVector.zero(F);
      long xs = xAt + 4L * i;
      for (int j = 0; j < HALF; j += L) {
        FloatVector x0 = FloatVector.fromMemorySegment(F, x, xs + 4L * j, LITTLE_ENDIAN);
        FloatVector x1 = FloatVector.fromMemorySegment(F, x, xs + 4L * (j + HALF), LITTLE_ENDIAN);
        IntVector n0 = Lanes.u8(w, b0 + 2 + j);
        IntVector n1 = Lanes.u8(w, b1 + 2 + j);
        s0 = ((FloatVector) n0.and(15).sub(8).convert(I2F, 0)).fma(x0, s0);
        s1 = ((FloatVector) n1.and(15).sub(8).convert(I2F, 0)).fma(x0, s1);
        s0 = ((FloatVector) n0.lanewise(LSHR, 4).sub(8).convert(I2F, 0)).fma(x1, s0);
        s1 = ((FloatVector) n1.lanewise(LSHR, 4).sub(8).convert(I2F, 0)).fma(x1, s1);
      }
      a0 = s0.fma(FloatVector.broadcast(F, Lanes.scalarF16(w, b0)), a0);
      a1 = s1.fma(FloatVector.broadcast(F, Lanes.scalarF16(w, b1)), a1);
    }
    a0.intoMemorySegment(sums, at, LITTLE_ENDIAN);
    a1.intoMemorySegment(sums, at + Lanes.BYTES, LITTLE_ENDIAN);
  }

  static void decodeInt4(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at) {
    MemorySegment src = w.data();
    int block = w.format().blockElements();
    long scale = 2 * Blocks.index(w, row, from);
    long n = Blocks.offset(w, row, from);
    for (int i = 0; i < count; i += block, scale += 2) {
      FloatVector d = FloatVector.broadcast(F, Lanes.scalarBf16(w.scales(), scale));
      for (int j = i; j < i + block; j += 2 * L) {
        IntVector pairs = Lanes.u8(src, n + j / 2);
        Lanes.store(Lanes.toFloat(lower(pairs).sub(8)).mul(d), dst, at + 4L * j);
        Lanes.store(Lanes.toFloat(upper(pairs).sub(8)).mul(d), dst, at + 4L * (j + L));
      }
    }
  }

  static void dotInt4(
      WeightMatrix m, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at) {
    dotInt4(m, row0, x, xAt, sums, at);
    dotInt4(m, row1, x, xAt, sums, at + Lanes.BYTES);
  }

  /// One row: in a method with two, C2 would not inline all vector operations.
  private static void dotInt4(
      WeightMatrix m, int row, MemorySegment x, long xAt, MemorySegment sums, long at) {
    MemorySegment w = m.data();
    MemorySegment scales = m.scales();
    int block = m.format().blockElements();
    long scale = 2 * Blocks.index(m, row, 0);
    long n = Blocks.offset(m, row, 0);
    FloatVector a0 = FloatVector.zero(F);
    FloatVector a1 = FloatVector.zero(F);
    for (int i = 0; i < m.inputs(); i += 2 * L) {
      IntVector pairs = Lanes.u8(w, n + i / 2);
      float d = Lanes.scalarBf16(scales, scale + 2L * (i / block));
      FloatVector w0 = Lanes.toFloat(lower(pairs).sub(8)).mul(d);
      FloatVector w1 = Lanes.toFloat(upper(pairs).sub(8)).mul(d);
      a0 = w0.fma(FloatVector.fromMemorySegment(F, x, xAt + 4L * i, LITTLE_ENDIAN), a0);
      a1 = w1.fma(FloatVector.fromMemorySegment(F, x, xAt + 4L * (i + L), LITTLE_ENDIAN), a1);
    }
    a0.add(a1).intoMemorySegment(sums, at, LITTLE_ENDIAN);
  }

  static IntVector low(IntVector bytes) {
    return bytes.and(15);
  }

  static IntVector high(IntVector bytes) {
    return bytes.lanewise(LSHR, 4);
  }

  /// The nibbles of the lower half of the bytes, in order.
  private static IntVector lower(IntVector bytes) {
    return bytes.rearrange(LOWER).lanewise(LSHR, NIBBLE).and(15);
  }

  private static IntVector upper(IntVector bytes) {
    return bytes.rearrange(UPPER).lanewise(LSHR, NIBBLE).and(15);
  }
}

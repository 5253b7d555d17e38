package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.I;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// Six rows of int8 activations times two panels of 4-bit weights in int16: the sum of 32 products
/// of a weight (-8 to 7) and an activation (-127 to 127) is at most 32,512 in magnitude, so a group
/// needs no widening, and a multiplication and an addition of shorts do twice what a fused
/// multiply-add of floats does.
///
/// 2 panels x 6 rows are 12 sums, two vectors of weights and one of x: all 16 registers of AVX2,
/// where it does 51 GMAC/s on one core; tiles of 1 x 4 do 39, 2 x 4 48, 3 x 4 and 4 x 4 50.
final class Int16Tile {
  /// Rows of x.
  static final int ROWS = 6;

  /// Panels of weights.
  static final int PANELS = 2;

  /// Bytes of the sums of a group.
  static final long SUMS = ROWS * PANELS * BYTES;

  private static final VectorSpecies<Short> S = F.withLanes(short.class);

  private Int16Tile() {}

  /// Unpacks values of a panel to signed shorts: `dst[weight][panel][2 * L]`.
  ///
  /// @param data packed values ([NibblePanel]) at `at`, from the first that is wanted
  /// @param vectors how many vectors of values
  /// @param to offset of the first weight's place, that of the panel
  static void unpack(MemorySegment data, long at, int vectors, MemorySegment dst, long to) {
    for (int c = 0; c < vectors; c++) {
      IntVector v = IntVector.fromMemorySegment(I, data, at + c * BYTES, LITTLE_ENDIAN);
      long o = to + c * (4 * PANELS * BYTES);
      v.reinterpretAsShorts()
          .and((short) 15)
          .sub((short) 8)
          .intoMemorySegment(dst, o, LITTLE_ENDIAN);
      v.lanewise(LSHR, 4)
          .reinterpretAsShorts()
          .and((short) 15)
          .sub((short) 8)
          .intoMemorySegment(dst, o + PANELS * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 8)
          .reinterpretAsShorts()
          .and((short) 15)
          .sub((short) 8)
          .intoMemorySegment(dst, o + 2 * PANELS * BYTES, LITTLE_ENDIAN);
      v.lanewise(LSHR, 12)
          .reinterpretAsShorts()
          .and((short) 15)
          .sub((short) 8)
          .intoMemorySegment(dst, o + 3 * PANELS * BYTES, LITTLE_ENDIAN);
    }
  }

  /// Sums of groups: `sums[group][row][panel][2 * L]`, in shorts.
  ///
  /// @param s unpacked weights of both panels at `w0`; values of the first row ([Int8Row]) at `x0`,
  ///   rows are `xStride` bytes apart; the sums go to `to`
  /// @param rows how many there are; the last is repeated where there are fewer than [#ROWS]
  static void multiply(
      MemorySegment s, long w0, long x0, long xStride, int rows, int groups, long to) {
    int last = rows - 1;
    long x1 = x0 + Math.min(1, last) * xStride;
    long x2 = x0 + Math.min(2, last) * xStride;
    long x3 = x0 + Math.min(3, last) * xStride;
    long x4 = x0 + Math.min(4, last) * xStride;
    long x5 = x0 + Math.min(5, last) * xStride;
    for (int g = 0; g < groups; g++) {
      ShortVector a0 = ShortVector.zero(S);
      ShortVector b0 = ShortVector.zero(S);
      ShortVector a1 = ShortVector.zero(S);
      ShortVector b1 = ShortVector.zero(S);
      ShortVector a2 = ShortVector.zero(S);
      ShortVector b2 = ShortVector.zero(S);
      ShortVector a3 = ShortVector.zero(S);
      ShortVector b3 = ShortVector.zero(S);
      ShortVector a4 = ShortVector.zero(S);
      ShortVector b4 = ShortVector.zero(S);
      ShortVector a5 = ShortVector.zero(S);
      ShortVector b5 = ShortVector.zero(S);
      long from = w0 + g * (32 * PANELS * BYTES);
      long group = 128L * g;
      for (int i = 0; i < 32; i++) {
        long at = from + i * (PANELS * BYTES);
        long k = group + 4L * i;
        ShortVector c = ShortVector.fromMemorySegment(S, s, at, LITTLE_ENDIAN);
        ShortVector d = ShortVector.fromMemorySegment(S, s, at + BYTES, LITTLE_ENDIAN);
        ShortVector v0 = IntVector.broadcast(I, s.get(JAVA_INT, x0 + k)).reinterpretAsShorts();
        a0 = c.mul(v0).add(a0);
        b0 = d.mul(v0).add(b0);
        ShortVector v1 = IntVector.broadcast(I, s.get(JAVA_INT, x1 + k)).reinterpretAsShorts();
        a1 = c.mul(v1).add(a1);
        b1 = d.mul(v1).add(b1);
        ShortVector v2 = IntVector.broadcast(I, s.get(JAVA_INT, x2 + k)).reinterpretAsShorts();
        a2 = c.mul(v2).add(a2);
        b2 = d.mul(v2).add(b2);
        ShortVector v3 = IntVector.broadcast(I, s.get(JAVA_INT, x3 + k)).reinterpretAsShorts();
        a3 = c.mul(v3).add(a3);
        b3 = d.mul(v3).add(b3);
        ShortVector v4 = IntVector.broadcast(I, s.get(JAVA_INT, x4 + k)).reinterpretAsShorts();
        a4 = c.mul(v4).add(a4);
        b4 = d.mul(v4).add(b4);
        ShortVector v5 = IntVector.broadcast(I, s.get(JAVA_INT, x5 + k)).reinterpretAsShorts();
        a5 = c.mul(v5).add(a5);
        b5 = d.mul(v5).add(b5);
      }
      long o = to + g * SUMS;
      a0.intoMemorySegment(s, o, LITTLE_ENDIAN);
      b0.intoMemorySegment(s, o + BYTES, LITTLE_ENDIAN);
      a1.intoMemorySegment(s, o + 2 * BYTES, LITTLE_ENDIAN);
      b1.intoMemorySegment(s, o + 3 * BYTES, LITTLE_ENDIAN);
      a2.intoMemorySegment(s, o + 4 * BYTES, LITTLE_ENDIAN);
      b2.intoMemorySegment(s, o + 5 * BYTES, LITTLE_ENDIAN);
      a3.intoMemorySegment(s, o + 6 * BYTES, LITTLE_ENDIAN);
      b3.intoMemorySegment(s, o + 7 * BYTES, LITTLE_ENDIAN);
      a4.intoMemorySegment(s, o + 8 * BYTES, LITTLE_ENDIAN);
      b4.intoMemorySegment(s, o + 9 * BYTES, LITTLE_ENDIAN);
      a5.intoMemorySegment(s, o + 10 * BYTES, LITTLE_ENDIAN);
      b5.intoMemorySegment(s, o + 11 * BYTES, LITTLE_ENDIAN);
    }
  }

  /// Adds the sums of a row to y, scaled: `y[panel][2][L] += Σ_groups sums * w scale * x scale`.
  ///
  /// @param s the sums of the row in the first group ([#multiply]) at `from`; scales of the panels'
  ///   outputs, `[groups][2][L]`, at `d0` and at `d1`; the row's scales, `[groups]`, at `x0`; y at
  ///   `to`
  static void flush(MemorySegment s, long from, long d0, long d1, long x0, int groups, long to) {
    FloatVector low0 = FloatVector.fromMemorySegment(F, s, to, LITTLE_ENDIAN);
    FloatVector high0 = FloatVector.fromMemorySegment(F, s, to + BYTES, LITTLE_ENDIAN);
    FloatVector low1 = FloatVector.fromMemorySegment(F, s, to + 2 * BYTES, LITTLE_ENDIAN);
    FloatVector high1 = FloatVector.fromMemorySegment(F, s, to + 3 * BYTES, LITTLE_ENDIAN);
    for (int g = 0; g < groups; g++) {
      FloatVector scale = FloatVector.broadcast(F, s.get(JAVA_FLOAT, x0 + 4L * g));
      long at = from + g * SUMS;
      long o = g * (2 * BYTES);
      IntVector a = IntVector.fromMemorySegment(I, s, at, LITTLE_ENDIAN);
      FloatVector al =
          (FloatVector) a.lanewise(LSHL, 16).lanewise(ASHR, 16).convertShape(I2F, F, 0);
      low0 = al.fma(scale.mul(FloatVector.fromMemorySegment(F, s, d0 + o, LITTLE_ENDIAN)), low0);
      FloatVector ah = (FloatVector) a.lanewise(ASHR, 16).convertShape(I2F, F, 0);
      high0 =
          ah.fma(
              scale.mul(FloatVector.fromMemorySegment(F, s, d0 + o + BYTES, LITTLE_ENDIAN)), high0);
      IntVector b = IntVector.fromMemorySegment(I, s, at + BYTES, LITTLE_ENDIAN);
      FloatVector bl =
          (FloatVector) b.lanewise(LSHL, 16).lanewise(ASHR, 16).convertShape(I2F, F, 0);
      low1 = bl.fma(scale.mul(FloatVector.fromMemorySegment(F, s, d1 + o, LITTLE_ENDIAN)), low1);
      FloatVector bh = (FloatVector) b.lanewise(ASHR, 16).convertShape(I2F, F, 0);
      high1 =
          bh.fma(
              scale.mul(FloatVector.fromMemorySegment(F, s, d1 + o + BYTES, LITTLE_ENDIAN)), high1);
    }
    low0.intoMemorySegment(s, to, LITTLE_ENDIAN);
    high0.intoMemorySegment(s, to + BYTES, LITTLE_ENDIAN);
    low1.intoMemorySegment(s, to + 2 * BYTES, LITTLE_ENDIAN);
    high1.intoMemorySegment(s, to + 3 * BYTES, LITTLE_ENDIAN);
  }
}

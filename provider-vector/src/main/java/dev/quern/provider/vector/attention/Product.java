package dev.quern.provider.vector.attention;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.F32;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.provider.vector.lanes.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// `c += a · b` on panels of [#COLUMNS] columns of b and c, with elements of a broadcast:
///
/// ```
/// a: f32[rows][k]   b: f32[k][columns]   c: f32[rows][columns]
/// ```
///
/// An element of c takes its k products in order, each by a fused multiply-add, whatever the number
/// of rows or the panel, so a result does not depend on its place. Four rows have 8 sums, 2 vectors
/// of b and one of a: 11 of AVX2's 16 registers, and enough sums to hide the latency of a
/// multiply-add.
///
/// @param aStride from a row of a to the next, in bytes; so the other strides
/// @param columns of b and c, a multiple of [#COLUMNS]
record Product(long aStride, long bStride, int columns, long cStride) {
  /// Columns of b and c come in multiples of this.
  static final int COLUMNS = 2 * Lanes.L;

  /// @param s holds a and c, at these offsets
  /// @param rows of a and c
  /// @param k columns of a, rows of b
  /// @param b holds b at `bAt`
  void add(MemorySegment s, long a, int rows, int k, MemorySegment b, long bAt, long c) {
    for (int col = 0; col < columns; col += COLUMNS) {
      long panel = bAt + 4L * col;
      long sums = c + 4L * col;
      int row = 0;
      // Two or three rows that are left go as four, of which the last is repeated.
      for (; row + 1 < rows; row += 4) {
        int last = Math.min(3, rows - 1 - row);
        four(s, a + row * aStride, last, k, b, panel, sums + row * cStride);
      }
      if (row < rows) {
        one(s, a + row * aStride, k, b, panel, sums + row * cStride);
      }
    }
  }

  /// @param last number of the last row: 1 to 3
  private void four(
      MemorySegment scratch, long a0, int last, int k, MemorySegment operand, long bAt, long c0) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    MemorySegment b = Lanes.OFF_HEAP.cast(operand);
    long step = bStride;
    long i2 = Math.min(2, last);
    long a1 = a0 + aStride;
    long a2 = a0 + i2 * aStride;
    long a3 = a0 + last * aStride;
    long c1 = c0 + cStride;
    long c2 = c0 + i2 * cStride;
    long c3 = c0 + last * cStride;
    FloatVector c00 = FloatVector.fromMemorySegment(F, s, c0, LITTLE_ENDIAN);
    FloatVector c01 = FloatVector.fromMemorySegment(F, s, c0 + BYTES, LITTLE_ENDIAN);
    FloatVector c10 = FloatVector.fromMemorySegment(F, s, c1, LITTLE_ENDIAN);
    FloatVector c11 = FloatVector.fromMemorySegment(F, s, c1 + BYTES, LITTLE_ENDIAN);
    FloatVector c20 = FloatVector.fromMemorySegment(F, s, c2, LITTLE_ENDIAN);
    FloatVector c21 = FloatVector.fromMemorySegment(F, s, c2 + BYTES, LITTLE_ENDIAN);
    FloatVector c30 = FloatVector.fromMemorySegment(F, s, c3, LITTLE_ENDIAN);
    FloatVector c31 = FloatVector.fromMemorySegment(F, s, c3 + BYTES, LITTLE_ENDIAN);
    for (int i = 0; i < k; i++) {
      long row = bAt + i * step;
      FloatVector b0 = FloatVector.fromMemorySegment(F, b, row, LITTLE_ENDIAN);
      FloatVector b1 = FloatVector.fromMemorySegment(F, b, row + BYTES, LITTLE_ENDIAN);
      FloatVector x0 = FloatVector.broadcast(F, s.get(F32, a0 + 4L * i));
      c00 = x0.fma(b0, c00);
      c01 = x0.fma(b1, c01);
      FloatVector x1 = FloatVector.broadcast(F, s.get(F32, a1 + 4L * i));
      c10 = x1.fma(b0, c10);
      c11 = x1.fma(b1, c11);
      FloatVector x2 = FloatVector.broadcast(F, s.get(F32, a2 + 4L * i));
      c20 = x2.fma(b0, c20);
      c21 = x2.fma(b1, c21);
      FloatVector x3 = FloatVector.broadcast(F, s.get(F32, a3 + 4L * i));
      c30 = x3.fma(b0, c30);
      c31 = x3.fma(b1, c31);
    }
    c00.intoMemorySegment(s, c0, LITTLE_ENDIAN);
    c01.intoMemorySegment(s, c0 + BYTES, LITTLE_ENDIAN);
    c10.intoMemorySegment(s, c1, LITTLE_ENDIAN);
    c11.intoMemorySegment(s, c1 + BYTES, LITTLE_ENDIAN);
    c20.intoMemorySegment(s, c2, LITTLE_ENDIAN);
    c21.intoMemorySegment(s, c2 + BYTES, LITTLE_ENDIAN);
    c30.intoMemorySegment(s, c3, LITTLE_ENDIAN);
    c31.intoMemorySegment(s, c3 + BYTES, LITTLE_ENDIAN);
  }

  private void one(MemorySegment scratch, long a, int k, MemorySegment operand, long bAt, long c) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    MemorySegment b = Lanes.OFF_HEAP.cast(operand);
    long step = bStride;
    FloatVector c0 = FloatVector.fromMemorySegment(F, s, c, LITTLE_ENDIAN);
    FloatVector c1 = FloatVector.fromMemorySegment(F, s, c + BYTES, LITTLE_ENDIAN);
    for (int i = 0; i < k; i++) {
      long row = bAt + i * step;
      FloatVector x = FloatVector.broadcast(F, s.get(F32, a + 4L * i));
      c0 = x.fma(FloatVector.fromMemorySegment(F, b, row, LITTLE_ENDIAN), c0);
      c1 = x.fma(FloatVector.fromMemorySegment(F, b, row + BYTES, LITTLE_ENDIAN), c1);
    }
    c0.intoMemorySegment(s, c, LITTLE_ENDIAN);
    c1.intoMemorySegment(s, c + BYTES, LITTLE_ENDIAN);
  }
}

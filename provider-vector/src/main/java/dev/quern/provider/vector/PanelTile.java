package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.BYTES;
import static dev.quern.provider.vector.Lanes.F;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// Rows of x times a panel of `2 * L` outputs in F32, lanes being outputs: `y[row][output] += Σ_i
/// x[row][i] * w[i][output]`. Each sum takes its products in the order of i, whatever the tile.
///
/// 2 x 8 keeps 16 sums, two vectors of w and one of x in registers: of the 32 of AVX-512, which it
/// is for. 90 GMAC/s on one core there; tiles of 2 x 12, 3 x 8 and 4 x 6 do 82 to 88, 2 x 4 does
/// 59.
final class PanelTile {
  private static final int ROWS = 8;
  private static final int FEW_ROWS = 4;

  private PanelTile() {}

  /// Multiplies all rows.
  ///
  /// @param w `[n][2 * L]` at `wAt`
  /// @param x rows of x, the first at `xAt`, `xStride` bytes apart
  /// @param rows of x
  /// @param n inputs
  /// @param y `[rows][2 * L]` at `yAt`
  static void multiply(
      MemorySegment w,
      long wAt,
      MemorySegment x,
      long xAt,
      long xStride,
      int rows,
      int n,
      MemorySegment y,
      long yAt) {
    int row = 0;
    for (; row + ROWS <= rows; row += ROWS) {
      multiply2x8(w, wAt, x, xAt + row * xStride, xStride, n, y, yAt + row * (2 * BYTES));
    }
    for (; row + FEW_ROWS <= rows; row += FEW_ROWS) {
      multiply2x4(w, wAt, x, xAt + row * xStride, xStride, n, y, yAt + row * (2 * BYTES));
    }
    for (; row < rows; row++) {
      multiply2x1(w, wAt, x, xAt + row * xStride, n, y, yAt + row * (2 * BYTES));
    }
  }

  private static void multiply2x8(
      MemorySegment w,
      long w0,
      MemorySegment x,
      long x0,
      long xStride,
      int n,
      MemorySegment y,
      long y0) {
    long x1 = x0 + xStride;
    long x2 = x1 + xStride;
    long x3 = x2 + xStride;
    long x4 = x3 + xStride;
    long x5 = x4 + xStride;
    long x6 = x5 + xStride;
    long x7 = x6 + xStride;
    FloatVector a0 = FloatVector.fromMemorySegment(F, y, y0, LITTLE_ENDIAN);
    FloatVector b0 = FloatVector.fromMemorySegment(F, y, y0 + BYTES, LITTLE_ENDIAN);
    FloatVector a1 = FloatVector.fromMemorySegment(F, y, y0 + 2 * BYTES, LITTLE_ENDIAN);
    FloatVector b1 = FloatVector.fromMemorySegment(F, y, y0 + 3 * BYTES, LITTLE_ENDIAN);
    FloatVector a2 = FloatVector.fromMemorySegment(F, y, y0 + 4 * BYTES, LITTLE_ENDIAN);
    FloatVector b2 = FloatVector.fromMemorySegment(F, y, y0 + 5 * BYTES, LITTLE_ENDIAN);
    FloatVector a3 = FloatVector.fromMemorySegment(F, y, y0 + 6 * BYTES, LITTLE_ENDIAN);
    FloatVector b3 = FloatVector.fromMemorySegment(F, y, y0 + 7 * BYTES, LITTLE_ENDIAN);
    FloatVector a4 = FloatVector.fromMemorySegment(F, y, y0 + 8 * BYTES, LITTLE_ENDIAN);
    FloatVector b4 = FloatVector.fromMemorySegment(F, y, y0 + 9 * BYTES, LITTLE_ENDIAN);
    FloatVector a5 = FloatVector.fromMemorySegment(F, y, y0 + 10 * BYTES, LITTLE_ENDIAN);
    FloatVector b5 = FloatVector.fromMemorySegment(F, y, y0 + 11 * BYTES, LITTLE_ENDIAN);
    FloatVector a6 = FloatVector.fromMemorySegment(F, y, y0 + 12 * BYTES, LITTLE_ENDIAN);
    FloatVector b6 = FloatVector.fromMemorySegment(F, y, y0 + 13 * BYTES, LITTLE_ENDIAN);
    FloatVector a7 = FloatVector.fromMemorySegment(F, y, y0 + 14 * BYTES, LITTLE_ENDIAN);
    FloatVector b7 = FloatVector.fromMemorySegment(F, y, y0 + 15 * BYTES, LITTLE_ENDIAN);
    for (int i = 0; i < n; i++) {
      long k = 4L * i;
      long at = w0 + i * (2 * BYTES);
      FloatVector c = FloatVector.fromMemorySegment(F, w, at, LITTLE_ENDIAN);
      FloatVector d = FloatVector.fromMemorySegment(F, w, at + BYTES, LITTLE_ENDIAN);
      FloatVector v0 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x0 + k));
      a0 = c.fma(v0, a0);
      b0 = d.fma(v0, b0);
      FloatVector v1 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x1 + k));
      a1 = c.fma(v1, a1);
      b1 = d.fma(v1, b1);
      FloatVector v2 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x2 + k));
      a2 = c.fma(v2, a2);
      b2 = d.fma(v2, b2);
      FloatVector v3 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x3 + k));
      a3 = c.fma(v3, a3);
      b3 = d.fma(v3, b3);
      FloatVector v4 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x4 + k));
      a4 = c.fma(v4, a4);
      b4 = d.fma(v4, b4);
      FloatVector v5 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x5 + k));
      a5 = c.fma(v5, a5);
      b5 = d.fma(v5, b5);
      FloatVector v6 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x6 + k));
      a6 = c.fma(v6, a6);
      b6 = d.fma(v6, b6);
      FloatVector v7 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x7 + k));
      a7 = c.fma(v7, a7);
      b7 = d.fma(v7, b7);
    }
    a0.intoMemorySegment(y, y0, LITTLE_ENDIAN);
    b0.intoMemorySegment(y, y0 + BYTES, LITTLE_ENDIAN);
    a1.intoMemorySegment(y, y0 + 2 * BYTES, LITTLE_ENDIAN);
    b1.intoMemorySegment(y, y0 + 3 * BYTES, LITTLE_ENDIAN);
    a2.intoMemorySegment(y, y0 + 4 * BYTES, LITTLE_ENDIAN);
    b2.intoMemorySegment(y, y0 + 5 * BYTES, LITTLE_ENDIAN);
    a3.intoMemorySegment(y, y0 + 6 * BYTES, LITTLE_ENDIAN);
    b3.intoMemorySegment(y, y0 + 7 * BYTES, LITTLE_ENDIAN);
    a4.intoMemorySegment(y, y0 + 8 * BYTES, LITTLE_ENDIAN);
    b4.intoMemorySegment(y, y0 + 9 * BYTES, LITTLE_ENDIAN);
    a5.intoMemorySegment(y, y0 + 10 * BYTES, LITTLE_ENDIAN);
    b5.intoMemorySegment(y, y0 + 11 * BYTES, LITTLE_ENDIAN);
    a6.intoMemorySegment(y, y0 + 12 * BYTES, LITTLE_ENDIAN);
    b6.intoMemorySegment(y, y0 + 13 * BYTES, LITTLE_ENDIAN);
    a7.intoMemorySegment(y, y0 + 14 * BYTES, LITTLE_ENDIAN);
    b7.intoMemorySegment(y, y0 + 15 * BYTES, LITTLE_ENDIAN);
  }

  private static void multiply2x4(
      MemorySegment w,
      long w0,
      MemorySegment x,
      long x0,
      long xStride,
      int n,
      MemorySegment y,
      long y0) {
    long x1 = x0 + xStride;
    long x2 = x1 + xStride;
    long x3 = x2 + xStride;
    FloatVector a0 = FloatVector.fromMemorySegment(F, y, y0, LITTLE_ENDIAN);
    FloatVector b0 = FloatVector.fromMemorySegment(F, y, y0 + BYTES, LITTLE_ENDIAN);
    FloatVector a1 = FloatVector.fromMemorySegment(F, y, y0 + 2 * BYTES, LITTLE_ENDIAN);
    FloatVector b1 = FloatVector.fromMemorySegment(F, y, y0 + 3 * BYTES, LITTLE_ENDIAN);
    FloatVector a2 = FloatVector.fromMemorySegment(F, y, y0 + 4 * BYTES, LITTLE_ENDIAN);
    FloatVector b2 = FloatVector.fromMemorySegment(F, y, y0 + 5 * BYTES, LITTLE_ENDIAN);
    FloatVector a3 = FloatVector.fromMemorySegment(F, y, y0 + 6 * BYTES, LITTLE_ENDIAN);
    FloatVector b3 = FloatVector.fromMemorySegment(F, y, y0 + 7 * BYTES, LITTLE_ENDIAN);
    for (int i = 0; i < n; i++) {
      long k = 4L * i;
      long at = w0 + i * (2 * BYTES);
      FloatVector c = FloatVector.fromMemorySegment(F, w, at, LITTLE_ENDIAN);
      FloatVector d = FloatVector.fromMemorySegment(F, w, at + BYTES, LITTLE_ENDIAN);
      FloatVector v0 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x0 + k));
      a0 = c.fma(v0, a0);
      b0 = d.fma(v0, b0);
      FloatVector v1 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x1 + k));
      a1 = c.fma(v1, a1);
      b1 = d.fma(v1, b1);
      FloatVector v2 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x2 + k));
      a2 = c.fma(v2, a2);
      b2 = d.fma(v2, b2);
      FloatVector v3 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x3 + k));
      a3 = c.fma(v3, a3);
      b3 = d.fma(v3, b3);
    }
    a0.intoMemorySegment(y, y0, LITTLE_ENDIAN);
    b0.intoMemorySegment(y, y0 + BYTES, LITTLE_ENDIAN);
    a1.intoMemorySegment(y, y0 + 2 * BYTES, LITTLE_ENDIAN);
    b1.intoMemorySegment(y, y0 + 3 * BYTES, LITTLE_ENDIAN);
    a2.intoMemorySegment(y, y0 + 4 * BYTES, LITTLE_ENDIAN);
    b2.intoMemorySegment(y, y0 + 5 * BYTES, LITTLE_ENDIAN);
    a3.intoMemorySegment(y, y0 + 6 * BYTES, LITTLE_ENDIAN);
    b3.intoMemorySegment(y, y0 + 7 * BYTES, LITTLE_ENDIAN);
  }

  private static void multiply2x1(
      MemorySegment w, long w0, MemorySegment x, long x0, int n, MemorySegment y, long y0) {
    FloatVector a0 = FloatVector.fromMemorySegment(F, y, y0, LITTLE_ENDIAN);
    FloatVector b0 = FloatVector.fromMemorySegment(F, y, y0 + BYTES, LITTLE_ENDIAN);
    for (int i = 0; i < n; i++) {
      long k = 4L * i;
      long at = w0 + i * (2 * BYTES);
      FloatVector c = FloatVector.fromMemorySegment(F, w, at, LITTLE_ENDIAN);
      FloatVector d = FloatVector.fromMemorySegment(F, w, at + BYTES, LITTLE_ENDIAN);
      FloatVector v0 = FloatVector.broadcast(F, x.get(JAVA_FLOAT, x0 + k));
      a0 = c.fma(v0, a0);
      b0 = d.fma(v0, b0);
    }
    a0.intoMemorySegment(y, y0, LITTLE_ENDIAN);
    b0.intoMemorySegment(y, y0 + BYTES, LITTLE_ENDIAN);
  }
}

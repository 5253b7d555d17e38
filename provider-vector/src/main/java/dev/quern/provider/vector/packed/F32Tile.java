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
/// 2 x 6 keeps 12 sums, two vectors of w and one of x in registers. It is for the 32 registers of
/// AVX-512: 90 GMAC/s on one core there, where 2 x 4 does 59, 3 x 4 71 and 3 x 8 85. A larger one
/// is not to be had: 2 x 8 is past the number of virtual registers that C1 has ("COMPILE SKIPPED"
/// in `-XX:+PrintCompilation`), and what C1 can't compile stays in the interpreter for ever. The
/// last rows have no smaller tile of their own: a cold start would wait for its compilation.
final class PanelTile {
  /// Rows of the tile.
  static final int ROWS = 6;

  private PanelTile() {}

  /// Multiplies all rows. Where the last tile has fewer, the last row is repeated in it, and what
  /// comes out is not used.
  ///
  /// @param w `[n][2 * L]` at `wAt`
  /// @param x rows of x, the first at `xAt`, `xStride` bytes apart
  /// @param rows of x
  /// @param n inputs
  /// @param y `[rows + ROWS][2 * L]` at `yAt`
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
    for (int row = 0; row < rows; row += ROWS) {
      int left = rows - row;
      long from = xAt + row * xStride;
      long to = yAt + row * (2 * BYTES);
      multiply2x6(w, wAt, x, from, xStride, left, n, y, to);
    }
  }

  private static void multiply2x6(
      MemorySegment w,
      long w0,
      MemorySegment x,
      long x0,
      long xStride,
      int rows,
      int n,
      MemorySegment y,
      long y0) {
    int last = rows - 1;
    long x1 = x0 + Math.min(1, last) * xStride;
    long x2 = x0 + Math.min(2, last) * xStride;
    long x3 = x0 + Math.min(3, last) * xStride;
    long x4 = x0 + Math.min(4, last) * xStride;
    long x5 = x0 + Math.min(5, last) * xStride;
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
  }
}

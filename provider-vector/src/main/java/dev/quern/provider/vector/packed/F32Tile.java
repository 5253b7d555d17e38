package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.F32Matrix;
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
final class F32Tile {
  /// Rows of the tile.
  static final int ROWS = 6;

  private F32Tile() {}

  /// Multiplies all rows. Where the last tile has fewer, the last row is repeated in it, and what
  /// comes out is not used.
  ///
  /// @param col the first input
  /// @param n inputs
  /// @param s weights `[n][2 * L]` at `w`, sums `[rows + ROWS][2 * L]` at `y`
  static void multiply(F32Matrix x, int col, int n, MemorySegment s, long w, long y) {
    for (int row = 0; row < x.rows(); row += ROWS) {
      multiply2x6(x, row, col, n, s, w, y + row * (2 * BYTES));
    }
  }

  private static void multiply2x6(
      F32Matrix rows, int row, int col, int n, MemorySegment s, long w0, long y0) {
    MemorySegment x = rows.data();
    int last = rows.rows() - 1;
    long x0 = rows.offsetBytes(row, col);
    long x1 = rows.offsetBytes(Math.min(row + 1, last), col);
    long x2 = rows.offsetBytes(Math.min(row + 2, last), col);
    long x3 = rows.offsetBytes(Math.min(row + 3, last), col);
    long x4 = rows.offsetBytes(Math.min(row + 4, last), col);
    long x5 = rows.offsetBytes(Math.min(row + 5, last), col);
    FloatVector a0 = FloatVector.fromMemorySegment(F, s, y0, LITTLE_ENDIAN);
    FloatVector b0 = FloatVector.fromMemorySegment(F, s, y0 + BYTES, LITTLE_ENDIAN);
    FloatVector a1 = FloatVector.fromMemorySegment(F, s, y0 + 2 * BYTES, LITTLE_ENDIAN);
    FloatVector b1 = FloatVector.fromMemorySegment(F, s, y0 + 3 * BYTES, LITTLE_ENDIAN);
    FloatVector a2 = FloatVector.fromMemorySegment(F, s, y0 + 4 * BYTES, LITTLE_ENDIAN);
    FloatVector b2 = FloatVector.fromMemorySegment(F, s, y0 + 5 * BYTES, LITTLE_ENDIAN);
    FloatVector a3 = FloatVector.fromMemorySegment(F, s, y0 + 6 * BYTES, LITTLE_ENDIAN);
    FloatVector b3 = FloatVector.fromMemorySegment(F, s, y0 + 7 * BYTES, LITTLE_ENDIAN);
    FloatVector a4 = FloatVector.fromMemorySegment(F, s, y0 + 8 * BYTES, LITTLE_ENDIAN);
    FloatVector b4 = FloatVector.fromMemorySegment(F, s, y0 + 9 * BYTES, LITTLE_ENDIAN);
    FloatVector a5 = FloatVector.fromMemorySegment(F, s, y0 + 10 * BYTES, LITTLE_ENDIAN);
    FloatVector b5 = FloatVector.fromMemorySegment(F, s, y0 + 11 * BYTES, LITTLE_ENDIAN);
    for (int i = 0; i < n; i++) {
      long k = 4L * i;
      long at = w0 + i * (2 * BYTES);
      FloatVector c = FloatVector.fromMemorySegment(F, s, at, LITTLE_ENDIAN);
      FloatVector d = FloatVector.fromMemorySegment(F, s, at + BYTES, LITTLE_ENDIAN);
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
    a0.intoMemorySegment(s, y0, LITTLE_ENDIAN);
    b0.intoMemorySegment(s, y0 + BYTES, LITTLE_ENDIAN);
    a1.intoMemorySegment(s, y0 + 2 * BYTES, LITTLE_ENDIAN);
    b1.intoMemorySegment(s, y0 + 3 * BYTES, LITTLE_ENDIAN);
    a2.intoMemorySegment(s, y0 + 4 * BYTES, LITTLE_ENDIAN);
    b2.intoMemorySegment(s, y0 + 5 * BYTES, LITTLE_ENDIAN);
    a3.intoMemorySegment(s, y0 + 6 * BYTES, LITTLE_ENDIAN);
    b3.intoMemorySegment(s, y0 + 7 * BYTES, LITTLE_ENDIAN);
    a4.intoMemorySegment(s, y0 + 8 * BYTES, LITTLE_ENDIAN);
    b4.intoMemorySegment(s, y0 + 9 * BYTES, LITTLE_ENDIAN);
    a5.intoMemorySegment(s, y0 + 10 * BYTES, LITTLE_ENDIAN);
    b5.intoMemorySegment(s, y0 + 11 * BYTES, LITTLE_ENDIAN);
  }
}

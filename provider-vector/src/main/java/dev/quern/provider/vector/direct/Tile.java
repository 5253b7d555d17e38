package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.F32Matrix;
import dev.quern.provider.vector.lanes.Lanes;
import java.lang.foreign.MemorySegment;
import java.util.List;
import jdk.incubator.vector.FloatVector;

/// Products of rows of two matrices, both with their elements side by side, so neither needs
/// packing. A tile is a few rows of w by a few of x:
///
/// ```
/// sums[row of w][row of x][lane] = Σ_j w[lane + L * j] * x[lane + L * j]
/// ```
///
/// Each sum takes its products in the order of j, whatever the tile, so a result does not depend on
/// its place in one. What is over at an edge is computed and not used.
///
/// A kernel is one plain loop with its sums in local variables, which C2 keeps in registers: in an
/// array, or across two nested loops, they would be boxed. It calls the Vector API itself: past a
/// number of nodes C2 inlines no more helpers of ours (and boxes their arguments), but still the
/// API's methods, which are marked to be inlined always.
///
/// @param leastLanes where there are so many
/// @param wRows rows of w
/// @param xRows rows of x
/// @param kernel computes one
record Tile(int leastLanes, int wRows, int xRows, Kernel kernel) {
  /// The widest first.
  private static final List<Tile> TABLE =
      List.of(
          // 24 sums, 4 vectors of x and one of w, of the 32 registers of AVX-512: 60 GMAC/s.
          new Tile(16, 6, 4, Tile::multiply6x4),
          // 9 sums, 3 vectors of x and one of w, of the 16 registers of AVX2: 24 GMAC/s on one
          // core. With 12 sums (4 x 3, 3 x 4) C2 spills some in the loop, and it is 16; with 8 (2 x
          // 4) 22.
          new Tile(4, 3, 3, Tile::multiply3x3));

  /// The tile for this JVM's vectors.
  static final Tile PREFERRED =
      TABLE.stream().filter(t -> t.leastLanes <= L).findFirst().orElseThrow();

  /// Multiplies rows of w by rows of x.
  @FunctionalInterface
  interface Kernel {
    /// @param o both
    /// @param w0 offset of the first row of w in bytes
    /// @param row the first row of x
    /// @param col its first element
    /// @param n elements of a row, a multiple of L
    /// @param sums offset in scratch of room for `wRows * xRows * L` floats
    void multiply(Operands o, long w0, int row, int col, int n, long sums);
  }

  /// What all tiles of a call share.
  ///
  /// @param scratch holds w, and the sums
  /// @param stride from a row of w to the next, in bytes
  /// @param x its rows
  record Operands(MemorySegment scratch, long stride, F32Matrix x) {
    /// Offset of an element of x in bytes; rows that there are not are the last.
    long xAt(int row, int col) {
      return x.offsetBytes(Math.min(row, x.rows() - 1), col);
    }

    /// A sum, plus the products of what no vector holds: elements `whole` to `n` of rows of w and
    /// x.
    float withRest(float sum, long wAt, long xAt, int whole, int n) {
      for (int i = whole; i < n; i++) {
        sum += Lanes.scalarF32(scratch, wAt + 4L * i) * Lanes.scalarF32(x.data(), xAt + 4L * i);
      }
      return sum;
    }
  }

  /// Bytes of the sums.
  long sumsBytes() {
    return wRows * xRows * BYTES;
  }

  /// One of the sums at `at`: its lanes together.
  float sum(MemorySegment sums, long at, int wRow, int xRow) {
    return Lanes.sum(sums, at + (wRow * xRows + xRow) * BYTES);
  }

  private static void multiply3x3(Operands o, long w0, int row, int col, int n, long at) {
    MemorySegment w = o.scratch;
    MemorySegment sums = o.scratch;
    MemorySegment x = o.x.data();
    long stride = o.stride;
    long x0 = o.xAt(row, col);
    long x1 = o.xAt(row + 1, col);
    long x2 = o.xAt(row + 2, col);
    long w1 = w0 + stride;
    long w2 = w1 + stride;
    FloatVector a00 = FloatVector.zero(F);
    FloatVector a01 = FloatVector.zero(F);
    FloatVector a02 = FloatVector.zero(F);
    FloatVector a10 = FloatVector.zero(F);
    FloatVector a11 = FloatVector.zero(F);
    FloatVector a12 = FloatVector.zero(F);
    FloatVector a20 = FloatVector.zero(F);
    FloatVector a21 = FloatVector.zero(F);
    FloatVector a22 = FloatVector.zero(F);
    for (int i = 0; i < n; i += L) {
      long k = 4L * i;
      FloatVector b0 = FloatVector.fromMemorySegment(F, x, x0 + k, LITTLE_ENDIAN);
      FloatVector b1 = FloatVector.fromMemorySegment(F, x, x1 + k, LITTLE_ENDIAN);
      FloatVector b2 = FloatVector.fromMemorySegment(F, x, x2 + k, LITTLE_ENDIAN);
      FloatVector c0 = FloatVector.fromMemorySegment(F, w, w0 + k, LITTLE_ENDIAN);
      a00 = c0.fma(b0, a00);
      a01 = c0.fma(b1, a01);
      a02 = c0.fma(b2, a02);
      FloatVector c1 = FloatVector.fromMemorySegment(F, w, w1 + k, LITTLE_ENDIAN);
      a10 = c1.fma(b0, a10);
      a11 = c1.fma(b1, a11);
      a12 = c1.fma(b2, a12);
      FloatVector c2 = FloatVector.fromMemorySegment(F, w, w2 + k, LITTLE_ENDIAN);
      a20 = c2.fma(b0, a20);
      a21 = c2.fma(b1, a21);
      a22 = c2.fma(b2, a22);
    }
    a00.intoMemorySegment(sums, at + 0 * BYTES, LITTLE_ENDIAN);
    a01.intoMemorySegment(sums, at + 1 * BYTES, LITTLE_ENDIAN);
    a02.intoMemorySegment(sums, at + 2 * BYTES, LITTLE_ENDIAN);
    a10.intoMemorySegment(sums, at + 3 * BYTES, LITTLE_ENDIAN);
    a11.intoMemorySegment(sums, at + 4 * BYTES, LITTLE_ENDIAN);
    a12.intoMemorySegment(sums, at + 5 * BYTES, LITTLE_ENDIAN);
    a20.intoMemorySegment(sums, at + 6 * BYTES, LITTLE_ENDIAN);
    a21.intoMemorySegment(sums, at + 7 * BYTES, LITTLE_ENDIAN);
    a22.intoMemorySegment(sums, at + 8 * BYTES, LITTLE_ENDIAN);
  }

  private static void multiply6x4(Operands o, long w0, int row, int col, int n, long at) {
    MemorySegment w = o.scratch;
    MemorySegment sums = o.scratch;
    MemorySegment x = o.x.data();
    long stride = o.stride;
    long x0 = o.xAt(row, col);
    long x1 = o.xAt(row + 1, col);
    long x2 = o.xAt(row + 2, col);
    long x3 = o.xAt(row + 3, col);
    long w1 = w0 + stride;
    long w2 = w1 + stride;
    long w3 = w2 + stride;
    long w4 = w3 + stride;
    long w5 = w4 + stride;
    FloatVector a00 = FloatVector.zero(F);
    FloatVector a01 = FloatVector.zero(F);
    FloatVector a02 = FloatVector.zero(F);
    FloatVector a03 = FloatVector.zero(F);
    FloatVector a10 = FloatVector.zero(F);
    FloatVector a11 = FloatVector.zero(F);
    FloatVector a12 = FloatVector.zero(F);
    FloatVector a13 = FloatVector.zero(F);
    FloatVector a20 = FloatVector.zero(F);
    FloatVector a21 = FloatVector.zero(F);
    FloatVector a22 = FloatVector.zero(F);
    FloatVector a23 = FloatVector.zero(F);
    FloatVector a30 = FloatVector.zero(F);
    FloatVector a31 = FloatVector.zero(F);
    FloatVector a32 = FloatVector.zero(F);
    FloatVector a33 = FloatVector.zero(F);
    FloatVector a40 = FloatVector.zero(F);
    FloatVector a41 = FloatVector.zero(F);
    FloatVector a42 = FloatVector.zero(F);
    FloatVector a43 = FloatVector.zero(F);
    FloatVector a50 = FloatVector.zero(F);
    FloatVector a51 = FloatVector.zero(F);
    FloatVector a52 = FloatVector.zero(F);
    FloatVector a53 = FloatVector.zero(F);
    for (int i = 0; i < n; i += L) {
      long k = 4L * i;
      FloatVector b0 = FloatVector.fromMemorySegment(F, x, x0 + k, LITTLE_ENDIAN);
      FloatVector b1 = FloatVector.fromMemorySegment(F, x, x1 + k, LITTLE_ENDIAN);
      FloatVector b2 = FloatVector.fromMemorySegment(F, x, x2 + k, LITTLE_ENDIAN);
      FloatVector b3 = FloatVector.fromMemorySegment(F, x, x3 + k, LITTLE_ENDIAN);
      FloatVector c0 = FloatVector.fromMemorySegment(F, w, w0 + k, LITTLE_ENDIAN);
      a00 = c0.fma(b0, a00);
      a01 = c0.fma(b1, a01);
      a02 = c0.fma(b2, a02);
      a03 = c0.fma(b3, a03);
      FloatVector c1 = FloatVector.fromMemorySegment(F, w, w1 + k, LITTLE_ENDIAN);
      a10 = c1.fma(b0, a10);
      a11 = c1.fma(b1, a11);
      a12 = c1.fma(b2, a12);
      a13 = c1.fma(b3, a13);
      FloatVector c2 = FloatVector.fromMemorySegment(F, w, w2 + k, LITTLE_ENDIAN);
      a20 = c2.fma(b0, a20);
      a21 = c2.fma(b1, a21);
      a22 = c2.fma(b2, a22);
      a23 = c2.fma(b3, a23);
      FloatVector c3 = FloatVector.fromMemorySegment(F, w, w3 + k, LITTLE_ENDIAN);
      a30 = c3.fma(b0, a30);
      a31 = c3.fma(b1, a31);
      a32 = c3.fma(b2, a32);
      a33 = c3.fma(b3, a33);
      FloatVector c4 = FloatVector.fromMemorySegment(F, w, w4 + k, LITTLE_ENDIAN);
      a40 = c4.fma(b0, a40);
      a41 = c4.fma(b1, a41);
      a42 = c4.fma(b2, a42);
      a43 = c4.fma(b3, a43);
      FloatVector c5 = FloatVector.fromMemorySegment(F, w, w5 + k, LITTLE_ENDIAN);
      a50 = c5.fma(b0, a50);
      a51 = c5.fma(b1, a51);
      a52 = c5.fma(b2, a52);
      a53 = c5.fma(b3, a53);
    }
    a00.intoMemorySegment(sums, at + 0 * BYTES, LITTLE_ENDIAN);
    a01.intoMemorySegment(sums, at + 1 * BYTES, LITTLE_ENDIAN);
    a02.intoMemorySegment(sums, at + 2 * BYTES, LITTLE_ENDIAN);
    a03.intoMemorySegment(sums, at + 3 * BYTES, LITTLE_ENDIAN);
    a10.intoMemorySegment(sums, at + 4 * BYTES, LITTLE_ENDIAN);
    a11.intoMemorySegment(sums, at + 5 * BYTES, LITTLE_ENDIAN);
    a12.intoMemorySegment(sums, at + 6 * BYTES, LITTLE_ENDIAN);
    a13.intoMemorySegment(sums, at + 7 * BYTES, LITTLE_ENDIAN);
    a20.intoMemorySegment(sums, at + 8 * BYTES, LITTLE_ENDIAN);
    a21.intoMemorySegment(sums, at + 9 * BYTES, LITTLE_ENDIAN);
    a22.intoMemorySegment(sums, at + 10 * BYTES, LITTLE_ENDIAN);
    a23.intoMemorySegment(sums, at + 11 * BYTES, LITTLE_ENDIAN);
    a30.intoMemorySegment(sums, at + 12 * BYTES, LITTLE_ENDIAN);
    a31.intoMemorySegment(sums, at + 13 * BYTES, LITTLE_ENDIAN);
    a32.intoMemorySegment(sums, at + 14 * BYTES, LITTLE_ENDIAN);
    a33.intoMemorySegment(sums, at + 15 * BYTES, LITTLE_ENDIAN);
    a40.intoMemorySegment(sums, at + 16 * BYTES, LITTLE_ENDIAN);
    a41.intoMemorySegment(sums, at + 17 * BYTES, LITTLE_ENDIAN);
    a42.intoMemorySegment(sums, at + 18 * BYTES, LITTLE_ENDIAN);
    a43.intoMemorySegment(sums, at + 19 * BYTES, LITTLE_ENDIAN);
    a50.intoMemorySegment(sums, at + 20 * BYTES, LITTLE_ENDIAN);
    a51.intoMemorySegment(sums, at + 21 * BYTES, LITTLE_ENDIAN);
    a52.intoMemorySegment(sums, at + 22 * BYTES, LITTLE_ENDIAN);
    a53.intoMemorySegment(sums, at + 23 * BYTES, LITTLE_ENDIAN);
  }
}

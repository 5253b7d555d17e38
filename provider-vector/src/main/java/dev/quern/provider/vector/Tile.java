package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.BYTES;
import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.L;

import java.lang.foreign.MemorySegment;
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
/// array, or across two nested loops, they would be boxed.
///
/// @param wRows rows of w
/// @param xRows rows of x, at most 4
/// @param kernel computes one
record Tile(int wRows, int xRows, Kernel kernel) {
  /// 12 sums, 3 vectors of x and one of w fill the 16 registers of AVX2: there 26 to 28 GMAC/s on
  /// one core, where 3 x 4 and 4 x 6 gave 17 to 26. With AVX-512's 32 registers 6 x 4 and 6 x 3 are
  /// faster by a third (35 to 37 against 26), and are not here: C2 stops inlining before the last
  /// of their stores and boxes up to 20 vectors a tile.
  static final Tile PREFERRED = new Tile(4, 3, Tile::multiply4x3);

  /// Multiplies rows of w by rows of x.
  @FunctionalInterface
  interface Kernel {
    /// @param w the rows of w
    /// @param w0 offset of the first one in bytes
    /// @param stride from one to the next, in bytes
    /// @param x the rows of x
    /// @param x0 offset of the first one; `x1` to `x3`: of the others, as many as there are
    /// @param n elements of a row, a multiple of L
    /// @param sums room for `wRows * xRows * L` floats
    /// @param at their offset
    void multiply(
        MemorySegment w,
        long w0,
        long stride,
        MemorySegment x,
        long x0,
        long x1,
        long x2,
        long x3,
        int n,
        MemorySegment sums,
        long at);
  }

  /// Bytes of the sums.
  long sumsBytes() {
    return wRows * xRows * BYTES;
  }

  /// The sum of the lanes of one of the sums at `at`, plus the products of what no vector holds:
  /// elements `whole` to `n` of rows of w and x.
  float sum(
      MemorySegment sums,
      long at,
      int wRow,
      int xRow,
      MemorySegment w,
      long wAt,
      MemorySegment x,
      long xAt,
      int whole,
      int n) {
    float sum = Lanes.sum(Lanes.f32(sums, at + (wRow * xRows + xRow) * BYTES));
    for (int i = whole; i < n; i++) {
      sum += Lanes.scalarF32(w, wAt + 4L * i) * Lanes.scalarF32(x, xAt + 4L * i);
    }
    return sum;
  }

  private static void multiply4x3(
      MemorySegment w,
      long w0,
      long stride,
      MemorySegment x,
      long x0,
      long x1,
      long x2,
      long x3,
      int n,
      MemorySegment sums,
      long at) {
    long w1 = w0 + stride;
    long w2 = w1 + stride;
    long w3 = w2 + stride;
    FloatVector a00 = FloatVector.zero(F);
    FloatVector a01 = FloatVector.zero(F);
    FloatVector a02 = FloatVector.zero(F);
    FloatVector a10 = FloatVector.zero(F);
    FloatVector a11 = FloatVector.zero(F);
    FloatVector a12 = FloatVector.zero(F);
    FloatVector a20 = FloatVector.zero(F);
    FloatVector a21 = FloatVector.zero(F);
    FloatVector a22 = FloatVector.zero(F);
    FloatVector a30 = FloatVector.zero(F);
    FloatVector a31 = FloatVector.zero(F);
    FloatVector a32 = FloatVector.zero(F);
    for (int i = 0; i < n; i += L) {
      long k = 4L * i;
      FloatVector b0 = Lanes.f32(x, x0 + k);
      FloatVector b1 = Lanes.f32(x, x1 + k);
      FloatVector b2 = Lanes.f32(x, x2 + k);
      FloatVector c0 = Lanes.f32(w, w0 + k);
      a00 = c0.fma(b0, a00);
      a01 = c0.fma(b1, a01);
      a02 = c0.fma(b2, a02);
      FloatVector c1 = Lanes.f32(w, w1 + k);
      a10 = c1.fma(b0, a10);
      a11 = c1.fma(b1, a11);
      a12 = c1.fma(b2, a12);
      FloatVector c2 = Lanes.f32(w, w2 + k);
      a20 = c2.fma(b0, a20);
      a21 = c2.fma(b1, a21);
      a22 = c2.fma(b2, a22);
      FloatVector c3 = Lanes.f32(w, w3 + k);
      a30 = c3.fma(b0, a30);
      a31 = c3.fma(b1, a31);
      a32 = c3.fma(b2, a32);
    }
    Lanes.store(a00, sums, at + 0 * BYTES);
    Lanes.store(a01, sums, at + 1 * BYTES);
    Lanes.store(a02, sums, at + 2 * BYTES);
    Lanes.store(a10, sums, at + 3 * BYTES);
    Lanes.store(a11, sums, at + 4 * BYTES);
    Lanes.store(a12, sums, at + 5 * BYTES);
    Lanes.store(a20, sums, at + 6 * BYTES);
    Lanes.store(a21, sums, at + 7 * BYTES);
    Lanes.store(a22, sums, at + 8 * BYTES);
    Lanes.store(a30, sums, at + 9 * BYTES);
    Lanes.store(a31, sums, at + 10 * BYTES);
    Lanes.store(a32, sums, at + 11 * BYTES);
  }
}

package dev.quern.checked;

import dev.quern.data.F32Matrix;
import java.lang.foreign.MemorySegment;

/// Whether operands share memory. All of it is native, so addresses decide.
final class Overlap {
  private Overlap() {}

  /// Whether two matrices share an element. Column views of one wide buffer interleave: their
  /// address ranges overlap and their elements needn't. Matrices of several rows with different
  /// strides count as overlapping as soon as their ranges do.
  static boolean of(F32Matrix a, F32Matrix b) {
    if (!ranges(a.data().address(), spanBytes(a), b.data().address(), spanBytes(b))) {
      return false;
    }
    // The stride of a single row means nothing.
    long s = a.rows() == 1 ? b.rowStrideFloats() : a.rowStrideFloats();
    if (a.rows() > 1 && b.rows() > 1 && s != b.rowStrideFloats()) {
      return true;
    }
    // With d = start of b - start of a, in floats, and stride s, element (i, j) of a is element
    // (k, l) of b if (i - k) * s = d + l - j. So they overlap if a multiple of s lies within
    // d - (a.columns - 1) .. d + (b.columns - 1); that rows i and k exist follows from the ranges.
    long d = (b.data().address() - a.data().address()) / Float.BYTES;
    return Math.ceilDiv(d - (a.columns() - 1), s) * s <= d + (b.columns() - 1);
  }

  /// Whether a matrix reaches into `bytes` bytes from the start of a segment. The gaps between its
  /// rows count as part of it.
  static boolean of(F32Matrix a, MemorySegment b, long bytes) {
    return ranges(a.data().address(), spanBytes(a), b.address(), bytes);
  }

  /// Whether a segment reaches into the first `bytes` bytes of another.
  static boolean of(MemorySegment a, MemorySegment b, long bytes) {
    return ranges(a.address(), a.byteSize(), b.address(), bytes);
  }

  /// Whether two matrices are the same view: start, stride and columns. (Rows are equal where this
  /// is asked.)
  static boolean same(F32Matrix a, F32Matrix b) {
    return a.data().address() == b.data().address()
        && a.rowStrideFloats() == b.rowStrideFloats()
        && a.columns() == b.columns();
  }

  /// Bytes from a matrix's first element to the end of its last.
  private static long spanBytes(F32Matrix a) {
    return a.offsetBytes(a.rows() - 1, a.columns());
  }

  private static boolean ranges(long a, long aBytes, long b, long bBytes) {
    return aBytes > 0 && bBytes > 0 && a < b + bBytes && b < a + aBytes;
  }
}

package dev.quern.data;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Locale;
import java.util.Objects;

/// A row-major F32 matrix over off-heap memory: element (r, c) is the float at index `r *
/// rowStrideFloats + c`. A stride larger than `columns` makes it a view into a wider matrix.
///
/// @param data native memory, 4-byte aligned, little-endian
/// @param rows rows, at least 1
/// @param columns columns, at least 1
/// @param rowStrideFloats floats from one row's start to the next's, at least `columns`
/// @since 0.1
/// @stability contract
public record F32Matrix(MemorySegment data, int rows, int columns, int rowStrideFloats) {

  public F32Matrix {
    Objects.requireNonNull(data, "data");
    if (rows < 1 || columns < 1 || rowStrideFloats < columns) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "F32 matrix: rows=%d, columns=%d, rowStrideFloats=%d, expected rows >= 1, columns >= 1, stride >= columns",
              rows,
              columns,
              rowStrideFloats));
    }
    long needed = ((long) (rows - 1) * rowStrideFloats + columns) * Float.BYTES;
    if (data.byteSize() < needed) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "F32 matrix [%d, %d] stride %d: data holds %d bytes, expected at least %d",
              rows,
              columns,
              rowStrideFloats,
              data.byteSize(),
              needed));
    }
    if (!data.isNative()) {
      throw new IllegalArgumentException(
          "F32 matrix: data is on the Java heap, expected off-heap memory: allocate it from an Arena");
    }
    if (data.address() % Float.BYTES != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "F32 matrix: data starts at address 0x%x, expected a multiple of 4",
              data.address()));
    }
  }

  /// A dense matrix over `data`.
  public F32Matrix(MemorySegment data, int rows, int columns) {
    this(data, rows, columns, columns);
  }

  /// A new dense matrix, 64-byte aligned.
  public static F32Matrix allocate(SegmentAllocator allocator, int rows, int columns) {
    return new F32Matrix(
        allocator.allocate(Math.multiplyExact((long) rows * columns, (long) Float.BYTES), 64),
        rows,
        columns);
  }

  /// The first `rows` rows.
  public F32Matrix firstRows(int rows) {
    Objects.checkIndex(rows - 1, this.rows);
    return rows == this.rows ? this : new F32Matrix(data, rows, columns, rowStrideFloats);
  }

  /// Rows `from` (inclusive) to `to` (exclusive), as a view.
  public F32Matrix rowRange(int from, int to) {
    Objects.checkFromToIndex(from, to, rows);
    return new F32Matrix(
        data.asSlice((long) from * rowStrideFloats * Float.BYTES),
        to - from,
        columns,
        rowStrideFloats);
  }

  /// Columns `from` (inclusive) to `to` (exclusive) of every row, as a view with the same stride.
  public F32Matrix columnRange(int from, int to) {
    Objects.checkFromToIndex(from, to, columns);
    return new F32Matrix(data.asSlice((long) from * Float.BYTES), rows, to - from, rowStrideFloats);
  }

  /// The element at a row and a column.
  public float get(int row, int col) {
    return data.get(JAVA_FLOAT, offsetBytes(row, col));
  }

  /// Sets the element at a row and a column.
  public void set(int row, int col, float value) {
    data.set(JAVA_FLOAT, offsetBytes(row, col), value);
  }

  /// Byte offset of an element in [#data].
  public long offsetBytes(int row, int col) {
    return ((long) row * rowStrideFloats + col) * Float.BYTES;
  }
}

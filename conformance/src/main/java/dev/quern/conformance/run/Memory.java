package dev.quern.conformance.run;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// Where the operands of a run lie: memory with something on both sides that notices.
public interface Memory extends AutoCloseable {
  /// Four bytes that surround operands and lie between strided rows: a NaN as F32, and in its upper
  /// half as binary16.
  int CANARY = 0x7ff5a5a5;

  /// A canary that differs in its lower half from those of other numbers.
  ///
  /// @param n 0 for [#CANARY] itself
  static int canary(int n) {
    return CANARY ^ (n & 0x7fff);
  }

  /// Memory of exactly `bytes` bytes, accessible from all threads.
  ///
  /// @param name the operand's name, for messages
  /// @param alignment alignment of its start; no more of it than asked for, where that is possible
  MemorySegment allocate(String name, long bytes, long alignment);

  /// Memory for what a kernel only reads.
  default Place input(String name, long bytes, long alignment) {
    MemorySegment segment = allocate(name, bytes, alignment);
    return new Place(segment, segment);
  }

  /// Memory for a matrix.
  ///
  /// @param strideFloats the stride that it should have
  /// @param written whether a kernel writes to it
  default MatrixPlace matrix(
      String name, int rows, int columns, int strideFloats, boolean written) {
    long bytes = 4 * ((rows - 1L) * strideFloats + columns);
    if (!written) {
      return new MatrixPlace(input(name, bytes, 4), strideFloats, true);
    }
    MemorySegment segment = allocate(name, bytes, 4);
    return new MatrixPlace(new Place(segment, segment), strideFloats, true);
  }

  /// What was written to beside the memory handed out, by the operand's name; empty if nothing.
  List<Overrun> overruns();

  /// Frees everything; the second time, nothing.
  @Override
  void close();

  /// Memory of an operand.
  ///
  /// @param segment where its content is put
  /// @param given what the kernel gets: the same bytes
  record Place(MemorySegment segment, MemorySegment given) {}

  /// Memory of a matrix.
  ///
  /// @param place begins with the first row, and may go on after the last
  /// @param strideFloats floats from one row's start to the next's
  /// @param alone whether what lies between its rows belongs to no other operand
  record MatrixPlace(Place place, int strideFloats, boolean alone) {}

  /// A write beside an operand.
  ///
  /// @param operand the operand's name
  /// @param where for example `4 bytes before its start`
  record Overrun(String operand, String where) {}
}

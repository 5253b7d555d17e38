package dev.quern.conformance.rows;

import java.util.Arrays;

/// The operands of a case. A rule may change them before a run is opened.
///
/// @param first x, or gate: a row for each row of the result
/// @param second weight, table, or up
record RowData(float[] first, float[] second) {
  /// Rows `from` (inclusive) to `to` (exclusive) of a matrix.
  static float[] rows(float[] matrix, int columns, int from, int to) {
    return Arrays.copyOfRange(matrix, from * columns, to * columns);
  }
}

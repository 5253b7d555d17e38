package dev.quern.provider.x86.linear;

/// Rows of x rounded to int8 in groups of 32 (`int8-sym-32`; SPEC.md, L6), as many as one call of a
/// product takes; block after block, as the product reads it:
///
/// ```
/// q: s8[rows][32] | bias: i32[rows] = -offset * sum of 32 q | d: f32[rows]
/// ```
///
/// The bias is where the integer sum of a block begins: stored weights are larger by the offset
/// than what they mean. d is NaN where x is not finite, and so are all results of the row (L10).
///
/// @param rows of x, 1 to the unit's largest
record RoundedTile(int rows) {
  /// Bytes that a row of x takes in a block.
  static final int ROW_BYTES = PanelLayout.BLOCK + Integer.BYTES + Float.BYTES;

  /// Bytes of a block.
  int blockBytes() {
    return ROW_BYTES * rows;
  }

  /// Where the values of a row begin in a block.
  int valuesAt(int row) {
    return PanelLayout.BLOCK * row;
  }

  /// Where a row's bias is in a block.
  int biasAt(int row) {
    return PanelLayout.BLOCK * rows + Integer.BYTES * row;
  }

  /// Where a row's scale is in a block.
  int scaleAt(int row) {
    return (PanelLayout.BLOCK + Integer.BYTES) * rows + Float.BYTES * row;
  }
}

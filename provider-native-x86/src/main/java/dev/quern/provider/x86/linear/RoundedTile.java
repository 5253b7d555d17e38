package dev.quern.provider.x86.linear;

/// Rows of x rounded to int8 in groups of 32 (`int8-sym-32`; SPEC.md, L6), as many as one call of a
/// product takes; block after block, as the product reads it:
///
/// ```
/// q: s8[rows][32] | terms: 32 bits[groups][rows] | d: f32[rows]
/// ```
///
/// A term is what the sum over a block has besides products. Weights with an offset: i32 = -offset
/// times the sum of q over the group, where its integer sum begins. With a minimum: f32 = d times
/// the sum of q, by which the minimum is multiplied. d is NaN where x is not finite, and so are all
/// results of the row (L10).
///
/// @param rows of x, 1 to the unit's largest
/// @param groups of a block that have a scale each: 1 or 2
record RoundedTile(int rows, int groups) {
  /// Bytes that a row of x takes in a block.
  int rowBytes() {
    return PanelLayout.BLOCK + Integer.BYTES * groups + Float.BYTES;
  }

  /// Bytes of a block.
  int blockBytes() {
    return rowBytes() * rows;
  }

  /// Where the values of a row begin in a block.
  int valuesAt(int row) {
    return PanelLayout.BLOCK * row;
  }

  /// Where a row's term of a group is in a block.
  int termAt(int row, int group) {
    return PanelLayout.BLOCK * rows + Integer.BYTES * (rows * group + row);
  }

  /// Where a row's scale is in a block.
  int scaleAt(int row) {
    return termAt(row, groups);
  }
}

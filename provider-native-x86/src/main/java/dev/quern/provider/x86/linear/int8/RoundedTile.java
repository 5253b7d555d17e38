package dev.quern.provider.x86.linear.int8;

import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.linear.panel.PanelLoop;

/// Rows of x rounded to int8, as many as one call of a product takes; block after block, as the
/// product reads it:
///
/// ```
/// block    q: s8[rows][32] | terms: 32 bits[groups][rows] | d: f32[rows], of groups of 32
/// foot     s: f32[rows] | z: f32[rows], of whole rows
/// ```
///
/// Groups of 32 (`int8-sym-32`; SPEC.md, L6) have a d each, whole rows (`int8-asym-row`; L7) a step
/// s and a zero point z. These are NaN, d and s, where x is not finite, and so are all results of
/// the row (L10).
///
/// A term is what the sum over a block has besides products. Weights with an offset: i32 = -offset
/// times the sum of q over the group, where its integer sum begins. With a minimum: f32 = d times
/// the sum of q, by which the minimum is multiplied.
///
/// @param rows of x, 1 to the unit's largest
/// @param groups of a block of weights that have a scale each: 1 or 2
/// @param wholeRows how they are rounded
record RoundedTile(int rows, int groups, boolean wholeRows) {
  /// The loop of the tile's products over panels.
  PanelLoop loop(PanelLayout layout) {
    return new PanelLoop(
        layout.outputs(),
        rows,
        layout.headBytes(),
        layout.blocksPerHead(),
        layout.blockBytes(),
        blockBytes(),
        layout.wholeRows(),
        layout.footBytes());
  }

  /// Bytes that a row of x takes in so many blocks.
  long rowBytes(int blocks) {
    return (long) blocks * blockBytes() / rows + (wholeRows ? 2 * Float.BYTES : 0);
  }

  /// Bytes of a block.
  int blockBytes() {
    return scaleAt(0) + (wholeRows ? 0 : Float.BYTES * rows);
  }

  /// Where the values of a row begin in a block.
  int valuesAt(int row) {
    return PanelLayout.BLOCK * row;
  }

  /// Where a row's term of a group is in a block.
  int termAt(int row, int group) {
    return PanelLayout.BLOCK * rows + Integer.BYTES * (rows * group + row);
  }

  /// Where a row's d is in a block.
  int scaleAt(int row) {
    return termAt(row, groups);
  }

  /// Where a row's s is in the foot.
  int stepAt(int row) {
    return Float.BYTES * row;
  }

  /// Where a row's z is in the foot.
  int zeroPointAt(int row) {
    return Float.BYTES * (rows + row);
  }
}

package dev.quern.provider.x86.linear.bf16;

import dev.quern.provider.x86.linear.panel.Bf16Panels;

/// Rows of x rounded to BF16, as many as one call of a product takes:
///
/// ```
/// block    of 32 inputs: bf16[rows][32]; zeros behind a row's end
/// foot     f32[rows], 64 bytes a row: 0, or NaN where the row is not finite
/// ```
///
/// A block's rows are those of one or two tiles of `tdpbf16ps`: dense, so that they don't meet in
/// one set of the first-level cache.
///
/// No object, since it is asked in calls, which allocate nothing.
final class Bf16Tile {
  /// Bytes of a row in a block.
  static final int BLOCK_BYTES = Short.BYTES * Bf16Panels.BLOCK;

  private Bf16Tile() {}

  /// Bytes that a row of so many inputs takes, whole blocks.
  static long rowBytes(int inputs) {
    return (long) Short.BYTES * inputs + BLOCK_BYTES;
  }

  /// Bytes of so many inputs, whole blocks, of all rows.
  static int bytes(int rows, int inputs) {
    return Short.BYTES * inputs * rows;
  }

  /// Where a pair of inputs of a row is in a block.
  static int pairAt(int row, int pair) {
    return BLOCK_BYTES * row + 2 * Short.BYTES * pair;
  }

  /// Where a row's number is in the foot.
  static int footAt(int row) {
    return Float.BYTES * row;
  }
}

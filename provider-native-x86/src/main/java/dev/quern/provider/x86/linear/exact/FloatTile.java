package dev.quern.provider.x86.linear.exact;

/// Rows of x as F32, as many as one call of a product takes, in the order in which it reads them:
///
/// ```
/// block    of 8 inputs: f32[rows][8]; zeros behind a row's end
/// foot     f32[rows]: 0, or NaN where the row is not finite; it is added to all its sums
/// ```
///
/// No object, since it is asked in calls, which allocate nothing.
final class FloatTile {
  /// Inputs of a block.
  static final int BLOCK = 8;

  private FloatTile() {}

  /// Bytes that a row of so many inputs takes, which are a multiple of 8.
  static long rowBytes(int inputs) {
    return (long) Float.BYTES * inputs + Float.BYTES;
  }

  /// Bytes of so many inputs, a multiple of 8, of all rows.
  static int bytes(int rows, int inputs) {
    return Float.BYTES * inputs * rows;
  }

  /// Where an input of a row is, from the first block on.
  static int at(int rows, int row, int input) {
    return bytes(rows, input / BLOCK * BLOCK) + Float.BYTES * (BLOCK * row + input % BLOCK);
  }

  /// Where a row's number is in the foot.
  static int footAt(int row) {
    return Float.BYTES * row;
  }
}

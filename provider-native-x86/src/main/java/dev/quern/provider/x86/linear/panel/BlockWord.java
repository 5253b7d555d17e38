package dev.quern.provider.x86.linear.panel;

/// 32 bits that are computed from a block's bytes: how a table of formats says what panels store,
/// and [PackingSteps] emits it, for a block of each of eight rows at once.
public sealed interface BlockWord {
  /// Four bytes from a byte of the block on, little-endian; those that are so or a multiple of four
  /// bytes on are read together, and so a block has 16 bytes at least.
  record Word(int at) implements BlockWord {}

  /// Two bytes, extended by zeros.
  record Half(int at) implements BlockWord {}

  record And(BlockWord of, int mask) implements BlockWord {}

  record Xor(BlockWord of, int mask) implements BlockWord {}

  record Or(BlockWord first, BlockWord second) implements BlockWord {}

  /// To the left; to the right, by zeros, where that is negative.
  record Shift(BlockWord of, int left) implements BlockWord {}

  /// The lower 32 bits of a product.
  record Times(BlockWord of, int factor) implements BlockWord {}

  /// `of | of << left`
  record Spread(BlockWord of, int left) implements BlockWord {}

  /// The F32 of an F16.
  record Widened(BlockWord half) implements BlockWord {}

  /// The BF16 nearest to an F32, ties to even; a NaN stays one.
  record Rounded(BlockWord number) implements BlockWord {}

  default BlockWord and(int mask) {
    return new And(this, mask);
  }

  default BlockWord xor(int mask) {
    return new Xor(this, mask);
  }

  default BlockWord or(BlockWord other) {
    return new Or(this, other);
  }

  default BlockWord shift(int left) {
    return left == 0 ? this : new Shift(this, left);
  }

  default BlockWord times(int factor) {
    return new Times(this, factor);
  }

  default BlockWord spread(int left) {
    return new Spread(this, left);
  }
}

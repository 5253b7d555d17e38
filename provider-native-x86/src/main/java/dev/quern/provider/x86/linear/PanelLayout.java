package dev.quern.provider.x86.linear;

/// A panel: the weights of P outputs, whose lanes are outputs, so that no sum crosses lanes. Its
/// blocks of 32 inputs follow each other, and a panel the one before. A block of P outputs:
///
/// ```
/// scales: f16[P]
/// words: u8[bits][P][4]     a 32-bit word of an output holds four consecutive inputs:
///   4 bits   word j = inputs 4j .. 4j+3 in the low nibbles, 16+4j .. 16+4j+3 in the high ones
///   8 bits   word j = inputs 4j .. 4j+3
/// ```
///
/// Stored values are not negative: a format's offset is to be subtracted, as the dot products of
/// x86 want it (the first operand of `vpdpbusd` and of `vpmaddubsw` is unsigned).
///
/// @param bits of a stored value, 4 or 8; and words of an output in a block
/// @param outputs P: the lanes of a vector register
record PanelLayout(int bits, int outputs) {
  /// Inputs of a block.
  static final int BLOCK = 32;

  /// Bytes of a block.
  int blockBytes() {
    return wordsAt(bits);
  }

  /// Where the words j of all outputs begin in a block, in bytes.
  int wordsAt(int j) {
    return (Short.BYTES + j * Integer.BYTES) * outputs;
  }
}

package dev.quern.provider.x86.linear;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/// A weight format whose blocks fit a [PanelLayout]; a new one is a row of the table. x86 is
/// little-endian, as the formats are.
///
/// @param format blocks of 32 inputs
/// @param bits of a stored value
/// @param offset what is subtracted from a stored value
/// @param scaleAt where a block has its F16 scale, in bytes
/// @param words the block's values as words of the layout
record PanelFormat(BlockFormat format, int bits, int offset, int scaleAt, Words words) {
  /// Word j of the block at a byte offset.
  @FunctionalInterface
  interface Words {
    int word(MemorySegment data, long block, int j);
  }

  /// Q4_0's low nibbles are inputs 0 to 15, the high ones 16 to 31: words as the layout has them.
  /// Q8_0's values get an offset of 128 by turning their sign bit over.
  private static final List<PanelFormat> TABLE =
      List.of(
          new PanelFormat(
              BlockFormat.Q4_0,
              4,
              8,
              0,
              (data, block, j) -> data.get(JAVA_INT_UNALIGNED, block + 2 + 4L * j)),
          new PanelFormat(
              BlockFormat.Q8_0,
              8,
              128,
              0,
              (data, block, j) -> data.get(JAVA_INT_UNALIGNED, block + 2 + 4L * j) ^ 0x8080_8080));

  static List<PanelFormat> table() {
    return TABLE;
  }

  static Optional<PanelFormat> of(BlockFormat format) {
    return TABLE.stream().filter(f -> f.format.equals(format)).findFirst();
  }

  short scale(MemorySegment data, long block) {
    return data.get(JAVA_SHORT_UNALIGNED, block + scaleAt);
  }
}

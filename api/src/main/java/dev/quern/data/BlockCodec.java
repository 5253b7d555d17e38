package dev.quern.data;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Decodes the weights of a [BlockFormat] to F32, exactly as SPEC.md, section F, defines them (rule
/// F1). Codecs are stateless, thread-safe and allocate nothing.
///
/// @since 0.1
/// @stability contract
@FunctionalInterface
public interface BlockCodec {
  /// Decodes `blocks` consecutive blocks of one row.
  ///
  /// @param w the weights, of this codec's format
  /// @param row the row, `0 <= row < w.outputs()`
  /// @param firstBlock the first block of the row
  /// @param blocks how many
  /// @param dst where `blocks * blockElements` floats go; 4-byte aligned
  /// @param dstOffsetBytes where in `dst` they begin, a multiple of 4
  /// @throws IndexOutOfBoundsException if the row, the blocks or the destination do not exist
  void decode(
      WeightMatrix w, int row, int firstBlock, int blocks, MemorySegment dst, long dstOffsetBytes);

  /// Decodes a whole row: `w.inputs()` floats.
  ///
  /// @throws IndexOutOfBoundsException if the row or the destination do not exist
  default void decodeRow(WeightMatrix w, int row, MemorySegment dst, long dstOffsetBytes) {
    decode(w, row, 0, w.format().blocksPerRow(w.inputs()), dst, dstOffsetBytes);
  }

  /// The codec of a format; present for every one of [BlockFormat#standard()].
  static Optional<BlockCodec> of(BlockFormat format) {
    return Optional.ofNullable(BlockCodecs.STANDARD.get(format));
  }
}

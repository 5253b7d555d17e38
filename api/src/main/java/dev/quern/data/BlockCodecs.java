package dev.quern.data;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The codecs of the standard formats, and what they share.
final class BlockCodecs {
  /// Of all families: each has a table of its own.
  static final Map<BlockFormat, BlockCodec> STANDARD =
      Stream.of(FloatCodecs.TABLE, GgmlCodecs.TABLE, GgmlKCodecs.TABLE, ScalePlaneCodecs.TABLE)
          .flatMap(table -> table.entrySet().stream())
          .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));

  private BlockCodecs() {}

  /// Decodes the block at an offset of the data plane to an offset of the destination.
  @FunctionalInterface
  interface OneBlock {
    void decode(MemorySegment data, long block, MemorySegment dst, long dstOffsetBytes);
  }

  /// A codec of a format whose blocks hold all there is to know.
  static BlockCodec blockwise(OneBlock one) {
    return (w, row, firstBlock, blocks, dst, dstOffsetBytes) -> {
      long block = firstBlockIndex(w, row, firstBlock, blocks) * w.format().blockBytes();
      long at = dstOffsetBytes;
      for (int b = 0; b < blocks; b++) {
        one.decode(w.data(), block, dst, at);
        block += w.format().blockBytes();
        at += (long) w.format().blockElements() * Float.BYTES;
      }
    };
  }

  /// Index of a row's block in the matrix, for blocks that the row has.
  static long firstBlockIndex(WeightMatrix w, int row, int firstBlock, int blocks) {
    int blocksPerRow = w.format().blocksPerRow(w.inputs());
    Objects.checkIndex(row, w.outputs());
    Objects.checkFromIndexSize(firstBlock, blocks, blocksPerRow);
    return (long) row * blocksPerRow + firstBlock;
  }
}

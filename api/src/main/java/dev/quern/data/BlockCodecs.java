package dev.quern.data;

import static java.util.Map.entry;

import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Objects;

/// The codecs of the standard formats, and what they share.
final class BlockCodecs {
  static final Map<BlockFormat, BlockCodec> STANDARD =
      Map.ofEntries(
          entry(BlockFormat.F32, FloatCodecs::f32),
          entry(BlockFormat.F16, FloatCodecs::f16),
          entry(BlockFormat.BF16, FloatCodecs::bf16),
          entry(BlockFormat.Q8_0, blockwise(GgmlCodecs::q8_0)),
          entry(BlockFormat.Q4_0, blockwise(GgmlCodecs::q4_0)),
          entry(BlockFormat.Q4_1, blockwise(GgmlCodecs::q4_1)),
          entry(BlockFormat.Q5_0, blockwise(GgmlCodecs::q5_0)),
          entry(BlockFormat.Q5_1, blockwise(GgmlCodecs::q5_1)),
          entry(BlockFormat.Q4_K, blockwise(GgmlKCodecs::q4_K)),
          entry(BlockFormat.Q5_K, blockwise(GgmlKCodecs::q5_K)),
          entry(BlockFormat.Q6_K, blockwise(GgmlKCodecs::q6_K)),
          entry(BlockFormat.INT4_B32, ScalePlaneCodecs::int4),
          entry(BlockFormat.INT4_B64, ScalePlaneCodecs::int4),
          entry(BlockFormat.INT4_B128, ScalePlaneCodecs::int4),
          entry(BlockFormat.INT4_B256, ScalePlaneCodecs::int4),
          entry(BlockFormat.INT8_C, ScalePlaneCodecs::int8));

  private BlockCodecs() {}

  /// Decodes the block at an offset of the data plane to an offset of the destination.
  @FunctionalInterface
  interface OneBlock {
    void decode(MemorySegment data, long block, MemorySegment dst, long dstOffsetBytes);
  }

  /// A codec of a format whose blocks hold all there is to know.
  private static BlockCodec blockwise(OneBlock one) {
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

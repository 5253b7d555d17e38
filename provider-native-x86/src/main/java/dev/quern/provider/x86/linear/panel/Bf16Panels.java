package dev.quern.provider.x86.linear.panel;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.asm.Code;
import java.util.ArrayList;
import java.util.List;

/// Weights rounded to BF16, as both units read them, pair of inputs by pair: `bf16[inputs / 2, to
/// whole blocks][32 outputs][2]`. What is missing from the last block is zero.
///
/// A lane of `vdpbf16ps` is a pair of one output; the sixteen pairs of a block are the rows of two
/// tiles of `tdpbf16ps`, of 16 outputs each, 128 bytes apart.
///
/// F32, F16 and BF16 weights are packed as this; those of blocks are decoded to it.
public record Bf16Panels(BlockFormat format) implements PackedPanels {
  /// Inputs of a block: those of a tile.
  public static final int BLOCK = 32;

  /// Inputs that are packed in a step: 16 bytes of a row at least.
  private static final int PACKED = 8;

  /// Outputs of a panel.
  public static final int OUTPUTS = 32;

  /// Bytes of a pair of inputs of all outputs.
  public static final int PAIR_BYTES = 2 * Short.BYTES * OUTPUTS;

  /// Bytes of a block.
  public static final int BLOCK_BYTES = BLOCK / 2 * PAIR_BYTES;

  @Override
  public int inputs() {
    return BLOCK;
  }

  @Override
  public int outputs() {
    return OUTPUTS;
  }

  @Override
  public long bytes(int blocks) {
    return (long) blocks * BLOCK_BYTES;
  }

  @Override
  public long footScalesAt(int blocks) {
    return 0;
  }

  @Override
  public Code packing() {
    List<BlockWord> pairs = new ArrayList<>();
    for (int i = 0; i < PACKED; i += 2) {
      pairs.add(pair(i * format.blockBytes()));
    }
    return FloatPacking.code(PACKED * format.blockBytes(), pairs, PAIR_BYTES / OUTPUTS, OUTPUTS);
  }

  /// Two inputs, from a byte of the block on.
  private BlockWord pair(int at) {
    BlockWord word = new BlockWord.Word(at);
    if (format.equals(BlockFormat.BF16)) {
      return word;
    }
    BlockWord first = word;
    BlockWord second = new BlockWord.Word(at + Float.BYTES);
    if (format.equals(BlockFormat.F16)) {
      first = new BlockWord.Widened(word.and(0xFFFF));
      second = new BlockWord.Widened(word.shift(-Short.SIZE));
    }
    return new BlockWord.Rounded(first).or(new BlockWord.Rounded(second).shift(Short.SIZE));
  }

  @Override
  public int packingInputs() {
    return PACKED;
  }
}

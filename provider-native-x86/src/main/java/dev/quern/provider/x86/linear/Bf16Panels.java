package dev.quern.provider.x86.linear;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.Bf16;
import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;

/// Weights rounded to BF16, as both units read them, pair of inputs by pair: `bf16[inputs / 2, to
/// whole blocks][32 outputs][2]`. What is missing from the last block is zero.
///
/// A lane of `vdpbf16ps` is a pair of one output; the sixteen pairs of a block are the rows of two
/// tiles of `tdpbf16ps`, of 16 outputs each, 128 bytes apart.
///
/// F32, F16 and BF16 weights are packed as this; those of blocks are decoded to it.
record Bf16Panels(BlockFormat format) implements PackedPanels {
  /// Inputs of a block: those of a tile.
  static final int BLOCK = 32;

  /// Outputs of a panel.
  static final int OUTPUTS = 32;

  /// Bytes of a pair of inputs of all outputs.
  static final int PAIR_BYTES = 2 * Short.BYTES * OUTPUTS;

  /// Bytes of a block.
  static final int BLOCK_BYTES = BLOCK / 2 * PAIR_BYTES;

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
  public PanelWeights.Writer writer(MemorySegment data) {
    return (m, row, panelAt, lane) -> write(m, row, data, panelAt + 2L * Short.BYTES * lane);
  }

  private void write(WeightMatrix m, long row, MemorySegment data, long to) {
    long from = row * m.format().rowBytes(m.inputs());
    int padded = Math.ceilDiv(m.inputs(), BLOCK) * BLOCK;
    for (int i = 0; i < padded; i++) {
      short bits = i < m.inputs() ? bf16(m.data(), from + (long) i * format.blockBytes()) : 0;
      data.set(JAVA_SHORT, to + (long) (i / 2) * PAIR_BYTES + i % 2 * Short.BYTES, bits);
    }
  }

  private short bf16(MemorySegment source, long at) {
    if (format.equals(BlockFormat.F32)) {
      return Bf16.fromFloat(Float.intBitsToFloat(source.get(JAVA_INT_UNALIGNED, at)));
    }
    short bits = source.get(JAVA_SHORT_UNALIGNED, at);
    return format.equals(BlockFormat.F16) ? Bf16.fromFloat(Float.float16ToFloat(bits)) : bits;
  }
}

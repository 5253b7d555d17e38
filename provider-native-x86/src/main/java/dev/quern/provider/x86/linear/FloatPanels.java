package dev.quern.provider.x86.linear;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.provider.x86.asm.Assembler;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// F32, F16 and BF16 weights as they are, input by input: `[inputs, to a multiple of 8][P]`. What
/// is missing from the last block is zero.
///
/// @param outputs P
record FloatPanels(BlockFormat format, int outputs) implements WeightPanels {
  /// Inputs of a block: as many as an F32 tile of x has of a row side by side ([FloatTile]).
  static final int BLOCK = 8;

  private static final List<BlockFormat> FORMATS =
      List.of(BlockFormat.F32, BlockFormat.F16, BlockFormat.BF16);

  static List<BlockFormat> formats() {
    return FORMATS;
  }

  @Override
  public int inputs() {
    return BLOCK;
  }

  /// Bytes of a weight.
  int elementBytes() {
    return format.blockBytes();
  }

  private int blockBytes() {
    return BLOCK * outputs * elementBytes();
  }

  @Override
  public long bytes(int blocks) {
    return (long) blocks * blockBytes();
  }

  @Override
  public long footScalesAt(int blocks) {
    return 0;
  }

  @Override
  public PanelLoop loop(int rows, int tileBlockBytes) {
    return new PanelLoop(outputs, rows, 0, 1, blockBytes(), tileBlockBytes, true, 0);
  }

  @Override
  public WeightDecoder decoder(Assembler a, FloatUnit unit) {
    return new FloatDecoder(a, unit, this);
  }

  /// To widen a weight is an instruction or two.
  @Override
  public int fusedRows(FloatUnit unit) {
    return unit.maxRows();
  }

  @Override
  public PanelWeights.Writer writer(MemorySegment data) {
    return (m, row, panelAt, lane) -> write(m, row, data, panelAt + (long) lane * elementBytes());
  }

  private void write(WeightMatrix m, long row, MemorySegment data, long to) {
    long from = row * m.format().rowBytes(m.inputs());
    long step = (long) outputs * elementBytes();
    int padded = Math.ceilDiv(m.inputs(), BLOCK) * BLOCK;
    if (elementBytes() == Float.BYTES) {
      for (int i = 0; i < padded; i++) {
        boolean there = i < m.inputs();
        int bits = there ? m.data().get(JAVA_INT_UNALIGNED, from + 4L * i) : 0;
        data.set(JAVA_INT, to + i * step, bits);
      }
    } else {
      for (int i = 0; i < padded; i++) {
        boolean there = i < m.inputs();
        short bits = there ? m.data().get(JAVA_SHORT_UNALIGNED, from + 2L * i) : 0;
        data.set(JAVA_SHORT, to + i * step, bits);
      }
    }
  }
}

package dev.quern.provider.x86.linear.floats;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.linear.panel.BlockWord;
import dev.quern.provider.x86.linear.panel.FloatPacking;
import dev.quern.provider.x86.linear.panel.PanelLoop;
import java.util.ArrayList;
import java.util.List;

/// F32, F16 and BF16 weights as they are, input by input: `[inputs, to a multiple of 8][P]`. What
/// is missing from the last block is zero.
///
/// @param outputs P
public record FloatPanels(BlockFormat format, int outputs) implements WeightPanels {
  /// Inputs of a block: as many as an F32 tile of x has of a row side by side (`FloatTile`).
  public static final int BLOCK = 8;

  private static final List<BlockFormat> FORMATS =
      List.of(BlockFormat.F32, BlockFormat.F16, BlockFormat.BF16);

  /// Formats that are packed as they are: F32, F16, BF16.
  public static List<BlockFormat> formats() {
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
  public Code packing() {
    List<BlockWord> stored = new ArrayList<>();
    for (int at = 0; at < BLOCK * elementBytes(); at += Integer.BYTES) {
      BlockWord word = new BlockWord.Word(at);
      stored.addAll(
          elementBytes() == Float.BYTES
              ? List.of(word)
              : List.of(word.and(0xFFFF), word.shift(-Short.SIZE)));
    }
    return FloatPacking.code(BLOCK * elementBytes(), stored, elementBytes(), outputs);
  }

  @Override
  public int packingInputs() {
    return BLOCK;
  }
}

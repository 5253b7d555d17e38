package dev.quern.provider.x86.linear;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.asm.Assembler;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A weight format in panels of which F32 is made.
sealed interface WeightPanels permits FloatPanels, BlockPanels {
  /// Rows of a tile for which weights of blocks are decoded in registers; for more, once to memory.
  int FEW_ROWS = 4;

  BlockFormat format();

  /// Inputs of a block.
  int inputs();

  /// Outputs of a panel.
  int outputs();

  /// Bytes of a panel of so many blocks.
  long bytes(int blocks);

  /// Where a panel of so many blocks has scales in its foot; 0 where it has none.
  long footScalesAt(int blocks);

  /// The loop over its blocks.
  ///
  /// @param rows of the tile
  /// @param tileBlockBytes of a block's part of the tile
  PanelLoop loop(int rows, int tileBlockBytes);

  WeightDecoder decoder(Assembler a, ExactUnit unit);

  /// Writes panels to data, which is zero where outputs are missing.
  PanelWeights.Writer writer(MemorySegment data);

  /// Rows of a tile for which weights are decoded in registers.
  int fusedRows(ExactUnit unit);

  /// All formats that have panels.
  static List<BlockFormat> formats() {
    return Stream.concat(
            FloatPanels.formats().stream(), PanelFormat.table().stream().map(PanelFormat::format))
        .toList();
  }

  /// A format's panels of so many outputs.
  static Optional<WeightPanels> of(BlockFormat format, int outputs) {
    return FloatPanels.formats().contains(format)
        ? Optional.of(new FloatPanels(format, outputs))
        : PanelFormat.of(format).map(f -> new BlockPanels(f, f.layout(outputs)));
  }
}

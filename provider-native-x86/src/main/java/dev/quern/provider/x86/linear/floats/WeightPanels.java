package dev.quern.provider.x86.linear.floats;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.asm.Assembler;
import dev.quern.provider.x86.linear.panel.PackedPanels;
import dev.quern.provider.x86.linear.panel.PanelFormat;
import dev.quern.provider.x86.linear.panel.PanelLoop;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A weight format in panels of which F32 is made.
public sealed interface WeightPanels extends PackedPanels permits FloatPanels, BlockPanels {
  /// Rows of a tile for which weights of blocks are decoded in registers; for more, once to memory.
  int FEW_ROWS = 4;

  /// The loop over its blocks.
  ///
  /// @param rows of the tile
  /// @param tileBlockBytes of a block's part of the tile
  PanelLoop loop(int rows, int tileBlockBytes);

  WeightDecoder decoder(Assembler a, FloatUnit unit);

  /// Rows of a tile for which weights are decoded in registers.
  int fusedRows(FloatUnit unit);

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

package dev.quern.provider.x86.linear;

import dev.quern.data.BlockFormat;
import java.lang.foreign.MemorySegment;

/// How a weight format is packed for rows that are floats.
interface PackedPanels {
  BlockFormat format();

  /// Inputs of a block.
  int inputs();

  /// Outputs of a panel.
  int outputs();

  /// Bytes of a panel of so many blocks.
  long bytes(int blocks);

  /// Where a panel of so many blocks has scales in its foot; 0 where it has none.
  long footScalesAt(int blocks);

  /// Writes panels to data, which is zero where outputs are missing.
  PanelWeights.Writer writer(MemorySegment data);
}

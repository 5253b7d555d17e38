package dev.quern.provider.x86.linear.panel;

import dev.quern.data.BlockFormat;
import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.memory.Routine;

/// How a weight format is packed for rows that are floats.
public interface PackedPanels {
  BlockFormat format();

  /// Inputs of a block.
  int inputs();

  /// Outputs of a panel.
  int outputs();

  /// Bytes of a panel of so many blocks.
  long bytes(int blocks);

  /// Where a panel of so many blocks has scales in its foot; 0 where it has none.
  long footScalesAt(int blocks);

  /// Code that packs rows ([RowPacking]).
  Code packing();

  /// Inputs that it packs in a step.
  int packingInputs();

  /// That code, made callable.
  default RowPacking packing(Routine routine) {
    return new RowPacking(routine, format(), packingInputs());
  }
}

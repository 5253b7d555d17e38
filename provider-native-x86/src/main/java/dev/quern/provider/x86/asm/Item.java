package dev.quern.provider.x86.asm;

import java.util.List;

/// What code is a list of.
public sealed interface Item permits Instruction, Item.Place, Item.Data, Item.Align {
  /// A label stands here.
  record Place(Label label) implements Item {}

  /// Bytes that are no instruction: constants.
  record Data(List<Byte> bytes) implements Item {}

  /// What follows begins at a multiple of `bytes`, a power of two of 64 at most; instructions that
  /// do nothing fill the gap.
  record Align(int bytes) implements Item {}
}

package dev.quern.provider.x86.asm;

/// An operand that the encoding names by a number.
public sealed interface Register extends Operand permits Gp, Vec, Mask, Tile {
  /// As the encoding counts them, from 0 on.
  int number();
}

package dev.quern.provider.x86.asm;

/// A place in code: of an instruction that is jumped to, or of data. Made and placed by an
/// [Assembler].
///
/// @param number unique within one assembler
public record Label(int number) implements Operand {
  @Override
  public String toString() {
    return ".L" + number;
  }
}

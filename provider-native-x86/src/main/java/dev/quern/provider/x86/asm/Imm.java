package dev.quern.provider.x86.asm;

/// A constant within an instruction.
public record Imm(long value) implements Operand {
  @Override
  public String toString() {
    return Long.toString(value);
  }
}

package dev.quern.provider.x86.asm;

/// One element in memory that stands for all of a vector's (EVEX `{1to16}`).
public record Broadcast(Mem memory) implements Operand {
  @Override
  public String toString() {
    return memory + "{1to}";
  }
}

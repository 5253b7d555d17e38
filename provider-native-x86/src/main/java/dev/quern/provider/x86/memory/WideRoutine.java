package dev.quern.provider.x86.memory;

import java.lang.foreign.MemorySegment;

/// A [Routine] of operators that have more operands than a linear.
@FunctionalInterface
public interface WideRoutine {
  /// Calls it. The operands are what it reads and writes, by addresses that the block holds: they
  /// can't be closed before it ends. It writes to the first and the last at most; where there are
  /// fewer, one stands for several.
  ///
  /// @param arguments address of the block, as the code defines it, within one of the operands
  void call(
      long arguments,
      MemorySegment first,
      MemorySegment second,
      MemorySegment third,
      MemorySegment fourth,
      MemorySegment fifth);
}

package dev.quern.provider.x86.memory;

import java.lang.foreign.MemorySegment;

/// A function of machine code with a block of arguments in memory. On a CPU that is a
/// [NativeRoutines]' one; tests interpret the same code where there is no such CPU.
@FunctionalInterface
public interface Routine {
  /// Calls it. The operands are what it reads and writes, by addresses that the block holds: they
  /// can't be closed before it ends. It writes to the first and the third at most.
  ///
  /// @param arguments address of the block, as the code defines it, within one of the operands
  void call(long arguments, MemorySegment first, MemorySegment second, MemorySegment third);
}

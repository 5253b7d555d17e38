package dev.quern.conformance.run;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Memory that the thread which makes it may touch, and no other: where that thread is the only
/// worker, whoever else touches an operand is a thread of the kernel's own. The JVM tells, however
/// small the work is.
public final class ConfinedMemory implements Memory {
  private final Arena arena = Arena.ofConfined();

  public ConfinedMemory() {}

  @Override
  public MemorySegment allocate(String name, long bytes, long alignment) {
    return arena.allocate(bytes, alignment);
  }

  /// Nothing: there is nothing beside operands that notices.
  @Override
  public List<Overrun> overruns() {
    return List.of();
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}

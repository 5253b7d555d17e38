package dev.quern.conformance.run;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Memory in which operands of one name lie at one address, as in a model, whose layers all work in
/// the same buffers. Runs that are opened in it take turns: each puts its content there before its
/// calls.
///
/// @param memory where the buffers lie, and weights, which each kernel has for itself
public record ReusedMemory(Memory memory, Map<String, MemorySegment> buffers) implements Memory {
  /// Room for more rows than the first ones.
  private static final long LEAST_BYTES = 1 << 16;

  public ReusedMemory(Memory memory) {
    this(memory, new HashMap<>());
  }

  @Override
  public MemorySegment allocate(String name, long bytes, long alignment) {
    if (name.contains("weights ") || name.contains("scales ") || name.startsWith("packed")) {
      return memory.allocate(name, bytes, alignment);
    }
    MemorySegment buffer = buffers.get(name);
    if (buffer == null || buffer.byteSize() < bytes) {
      buffer = memory.allocate(name, Math.max(2 * bytes, LEAST_BYTES), alignment);
      buffers.put(name, buffer);
    }
    return buffer.asSlice(0, bytes);
  }

  @Override
  public List<Overrun> overruns() {
    return memory.overruns();
  }

  @Override
  public void close() {
    memory.close();
  }
}

package dev.quern.data;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// What a kernel may use during one call: scratch memory and threads. One workspace serves one call
/// at a time.
///
/// @param scratch native memory, 64-byte aligned, at least `kernel.scratchBytes(rows, parallelism)`
///   bytes; what it holds before a call means nothing, and nothing in it outlives the call
/// @param workers the caller's threads
/// @since 0.1
/// @stability contract
public record Workspace(MemorySegment scratch, Workers workers) {
  /// Alignment of the scratch memory in bytes.
  public static final int SCRATCH_ALIGNMENT = 64;

  public Workspace {
    Objects.requireNonNull(scratch, "scratch");
    Objects.requireNonNull(workers, "workers");
  }
}

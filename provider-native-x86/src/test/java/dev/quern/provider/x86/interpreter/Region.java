package dev.quern.provider.x86.interpreter;

import java.lang.foreign.MemorySegment;

/// Memory that code may access: an operand. Its addresses are the segment's own, so that a block of
/// arguments may point to it.
///
/// @param name for messages
/// @param segment native memory
public record Region(String name, MemorySegment segment, boolean writable) {}

package dev.quern.conformance.run;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// Where the operands of a run lie: memory with something on both sides that notices.
public interface Memory extends AutoCloseable {
  /// Four bytes that surround operands and lie between strided rows: a NaN as F32, and in its upper
  /// half as binary16.
  int CANARY = 0x7ff5a5a5;

  /// Memory of exactly `bytes` bytes, accessible from all threads.
  ///
  /// @param name the operand's name, for messages
  /// @param alignment alignment of its start; no more of it than asked for, where that is possible
  MemorySegment allocate(String name, long bytes, long alignment);

  /// What was written to beside the memory handed out, by the operand's name; empty if nothing.
  List<Overrun> overruns();

  /// Frees everything; the second time, nothing.
  @Override
  void close();

  /// A write beside an operand.
  ///
  /// @param operand the operand's name
  /// @param where for example `4 bytes before its start`
  record Overrun(String operand, String where) {}
}

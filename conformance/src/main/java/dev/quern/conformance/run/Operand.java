package dev.quern.conformance.run;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// A piece of memory that a call is given, and what it may write there.
///
/// @param name as in the SPI: `x`, `y`, `weights 0`
/// @param segment the memory, exactly as large as the operand
/// @param initial what it holds before a call
/// @param written where the call writes, by rising offset; empty for an input
/// @param prefilled whether what is written there does not depend on what it held: such places are
///   filled with something else before each call
record Operand(
    String name, MemorySegment segment, byte[] initial, List<Range> written, boolean prefilled) {

  /// Bytes `from` (inclusive) to `to` (exclusive).
  record Range(long from, long to) {}

  /// The same place, that holds something else before a call.
  Operand holding(byte[] initial) {
    return new Operand(name, segment, initial, written, prefilled);
  }

  /// Whether another one holds something else.
  boolean differs(Operand other) {
    return !Arrays.equals(initial, other.initial);
  }

  /// Puts back what it holds before a call.
  void restore(Prefill prefill) {
    restore(initial, prefill);
  }

  /// Puts something else there.
  void restore(byte[] content, Prefill prefill) {
    MemorySegment.copy(content, 0, segment, JAVA_BYTE, 0, content.length);
    for (Range r : prefilled ? written : List.<Range>of()) {
      prefill.fill(segment.asSlice(r.from, r.to - r.from));
    }
  }

  /// Bytes that the call writes.
  int resultBytes() {
    int bytes = 0;
    for (Range r : written) {
      bytes += (int) (r.to - r.from);
    }
    return bytes;
  }

  /// Copies what the call wrote, ranges one after the other.
  ///
  /// @return where they end
  int result(byte[] bytes, int at) {
    for (Range r : written) {
      int n = (int) (r.to - r.from);
      MemorySegment.copy(segment, JAVA_BYTE, r.from, bytes, at, n);
      at += n;
    }
    return at;
  }

  /// The first byte outside what may be written that changed, or -1.
  long firstDamage() {
    byte[] now = segment.toArray(JAVA_BYTE);
    if (written.isEmpty()) {
      return Arrays.mismatch(now, initial);
    }
    long from = 0;
    for (int i = 0; i <= written.size(); i++) {
      long to = i < written.size() ? written.get(i).from : now.length;
      int at = Arrays.mismatch(now, (int) from, (int) to, initial, (int) from, (int) to);
      if (at >= 0) {
        return from + at;
      }
      from = i < written.size() ? written.get(i).to : to;
    }
    return -1;
  }
}

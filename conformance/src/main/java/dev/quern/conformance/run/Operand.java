package dev.quern.conformance.run;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// A piece of memory that a call is given, and what it may write there.
///
/// @param name as in the SPI: `x`, `y`, `weights 0`
/// @param place the memory, as large as the operand or larger
/// @param initial what it holds before a call
/// @param written where the call writes, by rising offset; empty for an input
/// @param kept where it must not, by rising offset: all the rest, but for what other operands have
/// @param prefilled whether what is written there does not depend on what it held: such places are
///   filled with something else before each call
record Operand(
    String name,
    Memory.Place place,
    byte[] initial,
    List<Range> written,
    List<Range> kept,
    boolean prefilled) {

  /// Bytes `from` (inclusive) to `to` (exclusive).
  record Range(long from, long to) {}

  /// An operand that shares its bytes with no other.
  static Operand alone(
      String name, Memory.Place place, byte[] initial, List<Range> written, boolean prefilled) {
    List<Range> kept = new ArrayList<>();
    long from = 0;
    for (Range w : written) {
      if (w.from > from) {
        kept.add(new Range(from, w.from));
      }
      from = w.to;
    }
    if (from < initial.length) {
      kept.add(new Range(from, initial.length));
    }
    return new Operand(name, place, initial, written, kept, prefilled);
  }

  /// Puts back what it holds before a call.
  void restore(Prefill prefill) {
    put();
    for (Range r : prefilled ? written : List.<Range>of()) {
      prefill.fill(place.segment().asSlice(r.from, r.to - r.from));
    }
  }

  /// Puts what it holds at first.
  void put() {
    put(kept);
    put(written);
  }

  private void put(List<Range> ranges) {
    for (Range r : ranges) {
      MemorySegment.copy(
          initial, (int) r.from, place.segment(), JAVA_BYTE, r.from, (int) (r.to - r.from));
    }
  }

  /// What the call wrote, ranges one after the other.
  byte[] result() {
    int total = (int) written.stream().mapToLong(r -> r.to - r.from).sum();
    byte[] bytes = new byte[total];
    int at = 0;
    for (Range r : written) {
      int n = (int) (r.to - r.from);
      MemorySegment.copy(place.segment(), JAVA_BYTE, r.from, bytes, at, n);
      at += n;
    }
    return bytes;
  }

  /// The first byte outside what may be written that changed, or -1.
  long firstDamage() {
    MemorySegment expected = MemorySegment.ofArray(initial);
    for (Range r : kept) {
      long at = MemorySegment.mismatch(expected, r.from, r.to, place.given(), r.from, r.to);
      if (at >= 0) {
        return r.from + at;
      }
    }
    return -1;
  }
}

package dev.quern.conformance.run;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
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
public record Operand(
    String name,
    Memory.Place place,
    byte[] initial,
    List<Range> written,
    List<Range> kept,
    boolean prefilled) {

  /// Bytes `from` (inclusive) to `to` (exclusive).
  public record Range(long from, long to) {}

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

  /// The same place, that holds something else before a call.
  Operand holding(byte[] initial) {
    return new Operand(name, place, initial, written, kept, prefilled);
  }

  /// Whether another one holds something else.
  boolean differs(Operand other) {
    return !Arrays.equals(initial, other.initial);
  }

  /// Puts back what it holds before a call.
  void restore(Prefill prefill) {
    restore(initial, prefill);
  }

  /// Puts something else there, as long.
  void restore(byte[] content, Prefill prefill) {
    put(content);
    for (Range r : prefilled ? written : List.<Range>of()) {
      prefill.fill(place.segment().asSlice(r.from, r.to - r.from));
    }
  }

  /// Puts what it holds at first.
  void put() {
    put(initial);
  }

  private void put(byte[] content) {
    put(content, kept);
    put(content, written);
  }

  private void put(byte[] content, List<Range> ranges) {
    for (Range r : ranges) {
      MemorySegment.copy(
          content, (int) r.from, place.segment(), JAVA_BYTE, r.from, (int) (r.to - r.from));
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
      MemorySegment.copy(place.segment(), JAVA_BYTE, r.from, bytes, at, n);
      at += n;
    }
    return at;
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

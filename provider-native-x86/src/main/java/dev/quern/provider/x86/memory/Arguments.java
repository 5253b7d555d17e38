package dev.quern.provider.x86.memory;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/// Writes words of a block of arguments, three or four at a time.
///
/// Not one by one, since a start pays for each: C1 makes 12 KB of code of one store to a segment,
/// and inlines it wherever it stands. These are too large to be inlined by C1 and are compiled once
/// (docs/cold-start.md); C2 inlines them where it matters.
public final class Arguments {
  private Arguments() {}

  /// Sets consecutive words.
  ///
  /// @param at byte of the block where they begin
  public static void set(MemorySegment block, long at, long first, long second, long third) {
    block.set(JAVA_LONG, at, first);
    block.set(JAVA_LONG, at + 8, second);
    block.set(JAVA_LONG, at + 16, third);
  }

  /// Sets consecutive words.
  ///
  /// @param at byte of the block where they begin
  public static void set(
      MemorySegment block, long at, long first, long second, long third, long fourth) {
    block.set(JAVA_LONG, at, first);
    block.set(JAVA_LONG, at + 8, second);
    block.set(JAVA_LONG, at + 16, third);
    block.set(JAVA_LONG, at + 24, fourth);
  }

  /// Two numbers of four bytes as a word.
  public static long pair(int first, int second) {
    return Integer.toUnsignedLong(first) | (long) second << Integer.SIZE;
  }

  /// Two numbers of four bytes as a word.
  public static long pair(float first, float second) {
    return pair(Float.floatToRawIntBits(first), Float.floatToRawIntBits(second));
  }
}

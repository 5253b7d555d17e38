package dev.quern.data;

import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.Objects;

/// The keys and values of one layer of one sequence, head-major: `[kvHead][position][headDim]`,
/// dense. The session owns the memory; an attention kernel appends to it and reads it.
///
/// @param keys `kvHeads * capacity * headDim` elements of `format`
/// @param values as `keys`
/// @param format element format
/// @param capacity positions that the cache has room for
/// @since 0.1
/// @stability contract
public record KvCache(MemorySegment keys, MemorySegment values, KvFormat format, int capacity) {

  public KvCache {
    Objects.requireNonNull(keys, "keys");
    Objects.requireNonNull(values, "values");
    Objects.requireNonNull(format, "format");
    if (capacity < 1) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "KV cache: capacity=%d, expected >= 1", capacity));
    }
    if (!keys.isNative() || !values.isNative()) {
      throw new IllegalArgumentException(
          "KV cache: keys and values must be off-heap memory: allocate them from an Arena");
    }
    if (keys.address() % 4 != 0 || values.address() % 4 != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "KV cache: keys start at 0x%x and values at 0x%x, expected multiples of 4",
              keys.address(),
              values.address()));
    }
  }

  /// Bytes of one of the two planes.
  public static long planeBytes(KvFormat format, int kvHeads, int headDim, int capacity) {
    return Math.multiplyExact(
        Math.multiplyExact((long) kvHeads * headDim, (long) capacity),
        (long) format.elementBytes());
  }
}

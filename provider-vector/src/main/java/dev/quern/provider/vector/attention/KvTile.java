package dev.quern.provider.vector.attention;

import static dev.quern.provider.vector.lanes.Halves.FIELDS;
import static dev.quern.provider.vector.lanes.Halves.LIMIT;
import static dev.quern.provider.vector.lanes.Halves.NON_FINITE;
import static dev.quern.provider.vector.lanes.Halves.REBASE;
import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.I;
import static dev.quern.provider.vector.lanes.Lanes.I32;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static dev.quern.provider.vector.lanes.Lanes.S;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.NE;
import static jdk.incubator.vector.VectorOperators.S2I;

import dev.quern.provider.vector.lanes.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/// Brings a tile of [#POSITIONS] positions of one KV head to F32, once for all queries that see it:
///
/// ```
/// values: f32[position][width]         as they lie
/// keys:   f32[width][POSITIONS]        turned, so that a lane is a position and no score has to be
///                                      summed across lanes
/// ```
///
/// Keys are turned as words of 32 bits, which are elements of an F32 cache and pairs of an F16 one:
/// blocks of L by L words, in log2(L) steps that exchange halves, quarters, ... of rows which are
/// as far apart. A pair is taken apart in the last step. For F16 that is 1.25 instructions an
/// element with 8 lanes, and 0.75 with 16. With 4 lanes words are moved one by one, a load and a
/// store each: where these are NEON's, C2 makes seven instructions of a shuffle.
///
/// binary16 becomes binary32 as [Halves] says; whether a tile has infinities or NaN is asked
/// beforehand, and they are mended afterwards.
///
/// @param width elements of a row, a multiple of 2 * L; rows lie side by side
/// @param f16 whether they are binary16, and not F32
record KvTile(int width, boolean f16) {
  /// Positions of a tile: a multiple of every panel's columns. A tile of 64 x 64 floats is 16 KiB,
  /// half of the smallest L1 cache.
  static final int POSITIONS = 64;

  private static final VectorShuffle<Integer> SWAP_HALVES = swap(L / 2);
  private static final VectorShuffle<Integer> SWAP_4 = swap(4);
  private static final VectorShuffle<Integer> SWAP_2 = swap(2);
  private static final VectorShuffle<Integer> SWAP_1 = swap(1);
  private static final VectorMask<Integer> UPPER_HALF = upper(L / 2);
  private static final VectorMask<Integer> UPPER_4 = upper(4);
  private static final VectorMask<Integer> UPPER_2 = upper(2);
  private static final VectorMask<Integer> UPPER_1 = upper(1);

  /// Bytes of a row of turned keys.
  private static final long ROW = 4L * POSITIONS;

  private static VectorShuffle<Integer> swap(int distance) {
    return VectorShuffle.fromOp(I, lane -> (lane ^ distance) & I.length() - 1);
  }

  /// The lanes whose number has the bit `distance`.
  private static VectorMask<Integer> upper(int distance) {
    long lanes = 0;
    for (int l = 0; l < I.length(); l++) {
      lanes |= (l & distance) != 0 ? 1L << l : 0;
    }
    return VectorMask.fromLong(I, lanes);
  }

  /// Bytes that [#keys] needs beside its result.
  static long wordsBytes() {
    return POSITIONS * BYTES;
  }

  /// Keys of the first n positions, turned. Columns from n on hold anything.
  ///
  /// @param src the rows
  /// @param from their offset
  /// @param n how many positions, 1 to POSITIONS
  /// @param words room for [#wordsBytes()]
  /// @param keys result `[width][POSITIONS]`
  void keys(MemorySegment src, long from, int n, MemorySegment scratch, long words, long keys) {
    // First, since it reads in order what is then read by columns.
    boolean special = f16 && hasSpecials(src, from, 2L * n * width);
    int rowWords = f16 ? width / 2 : width;
    long turned = f16 ? keys + ROW * rowWords : keys;
    if (L == 4) {
      move(src, from, rowWords, n, scratch, turned);
    }
    for (int word = 0; L > 4 && word < rowWords; word += L) {
      exchangeHalves(src, from + 4L * word, 4L * rowWords, n, scratch, words);
      if (L >= 16) {
        exchange4(scratch, words);
      }
      exchangeLast(scratch, words, turned + ROW * word);
    }
    if (f16) {
      widenPairs(scratch, turned, rowWords, keys);
    }
    if (special) {
      mendSpecials(scratch, keys, width * POSITIONS);
    }
  }

  /// Values of n positions, from an F16 cache.
  ///
  /// @param src as of [#keys]
  /// @param values result `[n][width]`
  void values(MemorySegment src, long from, int n, MemorySegment scratch, long values) {
    widen(src, from, n * width, scratch, values);
    if (hasSpecials(src, from, 2L * n * width)) {
      mendSpecials(scratch, values, n * width);
    }
  }

  /// Writes the words of n rows as columns. Eight rows at a time, the last of which may repeat.
  private static void move(
      MemorySegment src, long from, int rowWords, int n, MemorySegment scratch, long to) {
    MemorySegment rows = Lanes.OFF_HEAP.cast(src);
    MemorySegment columns = Lanes.OFF_HEAP.cast(scratch);
    long rowBytes = 4L * rowWords;
    for (int p = 0; p < n; p += 8) {
      long r0 = from + rowBytes * p;
      long r1 = from + rowBytes * Math.min(p + 1, n - 1);
      long r2 = from + rowBytes * Math.min(p + 2, n - 1);
      long r3 = from + rowBytes * Math.min(p + 3, n - 1);
      long r4 = from + rowBytes * Math.min(p + 4, n - 1);
      long r5 = from + rowBytes * Math.min(p + 5, n - 1);
      long r6 = from + rowBytes * Math.min(p + 6, n - 1);
      long r7 = from + rowBytes * Math.min(p + 7, n - 1);
      long column = to + 4L * p;
      for (int i = 0; i < rowWords; i++) {
        columns.set(I32, column + ROW * i, rows.get(I32, r0 + 4L * i));
        columns.set(I32, column + 4 + ROW * i, rows.get(I32, r1 + 4L * i));
        columns.set(I32, column + 8 + ROW * i, rows.get(I32, r2 + 4L * i));
        columns.set(I32, column + 12 + ROW * i, rows.get(I32, r3 + 4L * i));
        columns.set(I32, column + 16 + ROW * i, rows.get(I32, r4 + 4L * i));
        columns.set(I32, column + 20 + ROW * i, rows.get(I32, r5 + 4L * i));
        columns.set(I32, column + 24 + ROW * i, rows.get(I32, r6 + 4L * i));
        columns.set(I32, column + 28 + ROW * i, rows.get(I32, r7 + 4L * i));
      }
    }
  }

  /// Makes two rows of each row of words. These are the upper half of the keys: a row is read
  /// before it is written over.
  private static void widenPairs(MemorySegment scratch, long words, int rowWords, long keys) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    for (int i = 0; i < rowWords; i++) {
      long from = words + ROW * i;
      long to = keys + 2 * ROW * i;
      for (int p = 0; p < POSITIONS; p += L) {
        IntVector pairs = IntVector.fromMemorySegment(I, s, from + 4L * p, LITTLE_ENDIAN);
        pairs
            .lanewise(LSHL, 16)
            .lanewise(ASHR, 3)
            .and(FIELDS)
            .reinterpretAsFloats()
            .mul(REBASE)
            .intoMemorySegment(s, to + 4L * p, LITTLE_ENDIAN);
        pairs
            .lanewise(ASHR, 3)
            .and(FIELDS)
            .reinterpretAsFloats()
            .mul(REBASE)
            .intoMemorySegment(s, to + ROW + 4L * p, LITTLE_ENDIAN);
      }
    }
  }

  /// The first step, from the rows to words: rows from n on repeat the last one.
  private static void exchangeHalves(
      MemorySegment rows, long from, long rowBytes, int n, MemorySegment turned, long words) {
    MemorySegment src = Lanes.OFF_HEAP.cast(rows);
    MemorySegment scratch = Lanes.OFF_HEAP.cast(turned);
    for (int i = 0; i < POSITIONS / 2; i++) {
      int row = row(i, L / 2);
      long lower = from + rowBytes * Math.min(row, n - 1);
      long upper = from + rowBytes * Math.min(row + L / 2, n - 1);
      IntVector a = IntVector.fromMemorySegment(I, src, lower, LITTLE_ENDIAN);
      IntVector b = IntVector.fromMemorySegment(I, src, upper, LITTLE_ENDIAN);
      IntVector c = a.blend(b.rearrange(SWAP_HALVES), UPPER_HALF);
      IntVector d = a.rearrange(SWAP_HALVES).blend(b, UPPER_HALF);
      long to = words + BYTES * row;
      c.intoMemorySegment(scratch, to, LITTLE_ENDIAN);
      d.intoMemorySegment(scratch, to + BYTES * (L / 2), LITTLE_ENDIAN);
    }
  }

  /// A step between, in place. Shuffle and mask are constants of the method: handed in, they cost
  /// an allocation where C2 happens not to inline it.
  private static void exchange4(MemorySegment scratch, long words) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    for (int i = 0; i < POSITIONS / 2; i++) {
      long lower = words + BYTES * row(i, 4);
      long higher = lower + BYTES * 4;
      IntVector a = IntVector.fromMemorySegment(I, s, lower, LITTLE_ENDIAN);
      IntVector b = IntVector.fromMemorySegment(I, s, higher, LITTLE_ENDIAN);
      a.blend(b.rearrange(SWAP_4), UPPER_4).intoMemorySegment(s, lower, LITTLE_ENDIAN);
      a.rearrange(SWAP_4).blend(b, UPPER_4).intoMemorySegment(s, higher, LITTLE_ENDIAN);
    }
  }

  /// The last two steps: row r of a block is row r of L rows of the result.
  private static void exchangeLast(MemorySegment scratch, long words, long keys) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    for (int i = 0; i < POSITIONS / 4; i++) {
      int row = 4 * i;
      long at = words + BYTES * row;
      IntVector a = IntVector.fromMemorySegment(I, s, at + 0 * BYTES, LITTLE_ENDIAN);
      IntVector b = IntVector.fromMemorySegment(I, s, at + 1 * BYTES, LITTLE_ENDIAN);
      IntVector c = IntVector.fromMemorySegment(I, s, at + 2 * BYTES, LITTLE_ENDIAN);
      IntVector d = IntVector.fromMemorySegment(I, s, at + 3 * BYTES, LITTLE_ENDIAN);
      IntVector e = a.blend(c.rearrange(SWAP_2), UPPER_2);
      IntVector f = b.blend(d.rearrange(SWAP_2), UPPER_2);
      IntVector g = a.rearrange(SWAP_2).blend(c, UPPER_2);
      IntVector h = b.rearrange(SWAP_2).blend(d, UPPER_2);
      a = e.blend(f.rearrange(SWAP_1), UPPER_1);
      b = e.rearrange(SWAP_1).blend(f, UPPER_1);
      c = g.blend(h.rearrange(SWAP_1), UPPER_1);
      d = g.rearrange(SWAP_1).blend(h, UPPER_1);
      long to = keys + 4L * (POSITIONS * (row & L - 1) + (row & -L));
      a.intoMemorySegment(s, to, LITTLE_ENDIAN);
      b.intoMemorySegment(s, to + ROW, LITTLE_ENDIAN);
      c.intoMemorySegment(s, to + 2 * ROW, LITTLE_ENDIAN);
      d.intoMemorySegment(s, to + 3 * ROW, LITTLE_ENDIAN);
    }
  }

  /// Row i of those whose number lacks the bit `distance`.
  private static int row(int i, int distance) {
    return ((i & -distance) << 1) + (i & distance - 1);
  }

  private static void widen(MemorySegment rows, long from, int n, MemorySegment scratch, long to) {
    MemorySegment src = Lanes.OFF_HEAP.cast(rows);
    MemorySegment dst = Lanes.OFF_HEAP.cast(scratch);
    for (int i = 0; i < n; i += L) {
      IntVector bits =
          (IntVector)
              ShortVector.fromMemorySegment(S, src, from + 2L * i, LITTLE_ENDIAN)
                  .convertShape(S2I, I, 0);
      bits.lanewise(LSHL, 13)
          .and(FIELDS)
          .reinterpretAsFloats()
          .mul(REBASE)
          .intoMemorySegment(dst, to + 4L * i, LITTLE_ENDIAN);
    }
  }

  /// Whether any binary16 has the largest exponent: adding one to it then carries into the sign.
  private static boolean hasSpecials(MemorySegment rows, long from, long bytes) {
    MemorySegment src = Lanes.OFF_HEAP.cast(rows);
    IntVector carries = IntVector.zero(I);
    for (long i = 0; i < bytes; i += BYTES) {
      IntVector words = IntVector.fromMemorySegment(I, src, from + i, LITTLE_ENDIAN);
      carries = words.and(0x7FFF_7FFF).add(0x0400_0400).or(carries);
    }
    return carries.and(0x8000_8000).compare(NE, 0).anyTrue();
  }

  /// Gives floats of 2^16 and above, which no binary16 is, the largest exponent.
  private static void mendSpecials(MemorySegment scratch, long at, int n) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    for (int i = 0; i < n; i += L) {
      FloatVector v = FloatVector.fromMemorySegment(F, s, at + 4L * i, LITTLE_ENDIAN);
      // Read again as integers, since reinterpreting a float as one has a price
      // (docs/decisions.md).
      IntVector bits = IntVector.fromMemorySegment(I, s, at + 4L * i, LITTLE_ENDIAN);
      FloatVector special = bits.or(NON_FINITE).reinterpretAsFloats();
      v.blend(special, v.abs().compare(GE, LIMIT)).intoMemorySegment(s, at + 4L * i, LITTLE_ENDIAN);
    }
  }
}

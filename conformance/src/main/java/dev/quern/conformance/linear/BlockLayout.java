package dev.quern.conformance.linear;

import dev.quern.conformance.judge.Half;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntUnaryOperator;

/// Where the integer of an element lies in a block, as bit positions from the block's start:
/// SPEC.md, section F, as a table. It reads and writes, and shares no code with any codec.
///
/// @param format id of the format
/// @param lowBits bits of the lower part of an element's code
/// @param low the lower part's position for each element
/// @param highBits bits of the upper part, 0 where there is none
/// @param high the upper part's position for each element
/// @param bias what is subtracted from the code
/// @param signed whether the code is in two's complement
/// @param table what codes stand for; empty where it is the code less the bias
/// @param numbers the scale of a block; null where it has others than a `d` and an `m`, or none
public record BlockLayout(
    String format,
    int lowBits,
    IntUnaryOperator low,
    int highBits,
    IntUnaryOperator high,
    int bias,
    boolean signed,
    List<Integer> table,
    Numbers numbers) {
  /// What a block multiplies its integers with, and adds: F16 numbers; or, without an offset, a
  /// power of two.
  ///
  /// @param scale byte of d
  /// @param offset byte of m, -1 where there is none
  /// @param typical the scale at which weights are of about unit size
  /// @param power whether d is not an F16 but a byte e, for `2^(e - 128)`, and 255 for NaN
  public record Numbers(int scale, int offset, double typical, boolean power) {
    Numbers(int scale, int offset, double typical) {
      this(scale, offset, typical, false);
    }

    /// The scale of the block at a byte.
    double scaleOf(ByteBuffer data, int block) {
      if (!power) {
        return Half.f16(data.getShort(block + scale));
      }
      int e = data.get(block + scale) & 255;
      return e == 255 ? Double.NaN : Math.scalb(1.0, e - 128);
    }

    /// Sets it, or where it can only be a power of two, to the one below its magnitude; to the
    /// smallest where that is 0.
    void putScale(ByteBuffer data, int block, double value) {
      if (power) {
        int e = value == 0 ? 0 : Math.getExponent(value) + 128;
        data.put(block + scale, (byte) e);
      } else {
        data.putShort(block + scale, Half.toF16(value));
      }
    }

    /// Makes it NaN, or an infinity where it has one and NaN was not asked for.
    void damage(ByteBuffer data, int block, boolean nan) {
      if (power) {
        data.put(block + scale, (byte) 255);
      } else {
        data.putShort(block + scale, (short) (nan ? 0x7e00 : 0x7c00));
      }
    }
  }

  private static final List<Integer> NO_TABLE = List.of();
  private static final Numbers SCALE = new Numbers(0, -1, 1.0 / 8);
  private static final Numbers SCALE_AND_OFFSET = new Numbers(0, 2, 1.0 / 8);

  private static final List<BlockLayout> TABLE =
      List.of(
          signedBytes("Q8_0", 2, new Numbers(0, -1, 1.0 / 64)),
          signedBytes("INT8_C", 0, null),
          nibbles("Q4_0", e -> halves(2, e), 8, SCALE),
          nibbles("Q4_1", e -> halves(4, e), 0, SCALE_AND_OFFSET),
          new BlockLayout("Q5_0", 4, e -> halves(6, e), 1, e -> 16 + e, 16, false, NO_TABLE, SCALE),
          new BlockLayout(
              "Q5_1", 4, e -> halves(8, e), 1, e -> 32 + e, 0, false, NO_TABLE, SCALE_AND_OFFSET),
          new BlockLayout(
              "IQ4_NL",
              4,
              e -> halves(2, e),
              0,
              e -> 0,
              0,
              false,
              List.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113),
              new Numbers(0, -1, 1.0 / 64)),
          new BlockLayout(
              "MXFP4",
              4,
              e -> halves(1, e),
              0,
              e -> 0,
              0,
              false,
              List.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12),
              new Numbers(0, -1, 1.0 / 8, true)),
          new BlockLayout("Q2_K", 2, e -> quarters(16, e), 0, e -> 0, 0, false, NO_TABLE, null),
          new BlockLayout(
              "Q3_K",
              2,
              e -> quarters(32, e),
              1,
              e -> 8 * (e % 32) + e / 32,
              4,
              false,
              NO_TABLE,
              null),
          nibbles("Q4_K", e -> pairsOf32(16, e), 0, null),
          new BlockLayout(
              "Q5_K", 4, e -> pairsOf32(48, e), 1, BlockLayout::fifthBit, 0, false, NO_TABLE, null),
          new BlockLayout(
              "Q6_K", 4, BlockLayout::q6Low, 2, BlockLayout::q6High, 32, false, NO_TABLE, null),
          nibbles("INT4_B32", e -> 4 * e, 8, null),
          nibbles("INT4_B64", e -> 4 * e, 8, null),
          nibbles("INT4_B128", e -> 4 * e, 8, null),
          nibbles("INT4_B256", e -> 4 * e, 8, null));

  /// The layout of a format with integers; null for F32, F16 and BF16.
  public static BlockLayout of(String format) {
    return TABLE.stream().filter(l -> l.format.equals(format)).findFirst().orElse(null);
  }

  /// The integer of element e of the block at a byte.
  public int integer(byte[] data, int block, int e) {
    int code = get(data, block, low.applyAsInt(e), lowBits);
    if (highBits > 0) {
      code |= get(data, block, high.applyAsInt(e), highBits) << lowBits;
    }
    if (!table.isEmpty()) {
      return table.get(code);
    }
    return signed ? (byte) code : code - bias;
  }

  /// Sets the integer of element e, one that there is.
  public void set(byte[] data, int block, int e, int integer) {
    int code = signed ? integer & 255 : integer + bias;
    if (!table.isEmpty()) {
      code = table.indexOf(integer);
    }
    put(data, block, low.applyAsInt(e), lowBits, code & (1 << lowBits) - 1);
    if (highBits > 0) {
      put(data, block, high.applyAsInt(e), highBits, code >> lowBits);
    }
  }

  /// The smallest integer.
  public int min() {
    return table.isEmpty() ? signed ? -128 : -bias : Collections.min(table);
  }

  /// The largest integer.
  public int max() {
    return table.isEmpty()
        ? signed ? 127 : (1 << lowBits + highBits) - 1 - bias
        : Collections.max(table);
  }

  /// The integer that stands for 0 where one of a row stands out: 0, or of a table that lacks it
  /// the one that is nearest.
  public int none() {
    return table.isEmpty()
        ? 0
        : Collections.min(table, Comparator.comparingInt(integer -> Math.abs(integer)));
  }

  /// The one that stands out: 1, or where none is 0 the largest.
  public int one() {
    return none() == 0 ? 1 : max();
  }

  private static BlockLayout signedBytes(String format, int from, Numbers numbers) {
    return new BlockLayout(format, 8, e -> 8 * (from + e), 0, e -> 0, 0, true, NO_TABLE, numbers);
  }

  private static BlockLayout nibbles(
      String format, IntUnaryOperator low, int bias, Numbers numbers) {
    return new BlockLayout(format, 4, low, 0, e -> 0, bias, false, NO_TABLE, numbers);
  }

  /// Blocks of 32: elements 0 .. 15 are low nibbles, 16 .. 31 the high ones.
  private static int halves(int from, int e) {
    return 8 * (from + e % 16) + 4 * (e / 16);
  }

  /// Of each 64 elements the first 32 are low nibbles, the others the high ones.
  private static int pairsOf32(int from, int e) {
    return 8 * (from + 32 * (e / 64) + e % 32) + 4 * (e / 32 % 2);
  }

  /// Of each 128 elements, those of quarter q are bits 2q and 2q + 1 of 32 bytes.
  private static int quarters(int from, int e) {
    return 8 * (from + 32 * (e / 128) + e % 32) + 2 * (e % 128 / 32);
  }

  private static int fifthBit(int e) {
    return 8 * (16 + e % 32) + e / 32;
  }

  private static int q6Low(int e) {
    int quarter = e % 128 / 32;
    return 8 * (64 * (e / 128) + 32 * (quarter % 2) + e % 32) + 4 * (quarter / 2);
  }

  private static int q6High(int e) {
    return 8 * (128 + 32 * (e / 128) + e % 32) + 2 * (e % 128 / 32);
  }

  /// No part crosses a byte.
  private static int get(byte[] data, int block, int bit, int bits) {
    return data[block + bit / 8] >> bit % 8 & (1 << bits) - 1;
  }

  private static void put(byte[] data, int block, int bit, int bits, int value) {
    int mask = (1 << bits) - 1 << bit % 8;
    int at = block + bit / 8;
    data[at] = (byte) (data[at] & ~mask | value << bit % 8);
  }
}

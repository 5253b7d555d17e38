package dev.quern.conformance.linear;

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
public record BlockLayout(
    String format,
    int lowBits,
    IntUnaryOperator low,
    int highBits,
    IntUnaryOperator high,
    int bias,
    boolean signed) {

  private static final List<BlockLayout> TABLE =
      List.of(
          signedBytes("Q8_0", 2),
          signedBytes("INT8_C", 0),
          nibbles("Q4_0", e -> halves(2, e), 8),
          nibbles("Q4_1", e -> halves(4, e), 0),
          new BlockLayout("Q5_0", 4, e -> halves(6, e), 1, e -> 16 + e, 16, false),
          new BlockLayout("Q5_1", 4, e -> halves(8, e), 1, e -> 32 + e, 0, false),
          nibbles("Q4_K", e -> pairsOf32(16, e), 0),
          new BlockLayout("Q5_K", 4, e -> pairsOf32(48, e), 1, BlockLayout::fifthBit, 0, false),
          new BlockLayout("Q6_K", 4, BlockLayout::q6Low, 2, BlockLayout::q6High, 32, false),
          nibbles("INT4_B32", e -> 4 * e, 8),
          nibbles("INT4_B64", e -> 4 * e, 8),
          nibbles("INT4_B128", e -> 4 * e, 8),
          nibbles("INT4_B256", e -> 4 * e, 8));

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
    return signed ? (byte) code : code - bias;
  }

  /// Sets the integer of element e.
  public void set(byte[] data, int block, int e, int integer) {
    int code = signed ? integer & 255 : integer + bias;
    put(data, block, low.applyAsInt(e), lowBits, code & (1 << lowBits) - 1);
    if (highBits > 0) {
      put(data, block, high.applyAsInt(e), highBits, code >> lowBits);
    }
  }

  /// The smallest integer.
  public int min() {
    return signed ? -128 : -bias;
  }

  /// The largest integer.
  public int max() {
    return signed ? 127 : (1 << lowBits + highBits) - 1 - bias;
  }

  private static BlockLayout signedBytes(String format, int from) {
    return new BlockLayout(format, 8, e -> 8 * (from + e), 0, e -> 0, 0, true);
  }

  private static BlockLayout nibbles(String format, IntUnaryOperator low, int bias) {
    return new BlockLayout(format, 4, low, 0, e -> 0, bias, false);
  }

  /// Blocks of 32: elements 0 .. 15 are low nibbles, 16 .. 31 the high ones.
  private static int halves(int from, int e) {
    return 8 * (from + e % 16) + 4 * (e / 16);
  }

  /// Of each 64 elements the first 32 are low nibbles, the others the high ones.
  private static int pairsOf32(int from, int e) {
    return 8 * (from + 32 * (e / 64) + e % 32) + 4 * (e / 32 % 2);
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

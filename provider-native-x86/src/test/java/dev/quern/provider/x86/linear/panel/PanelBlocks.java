package dev.quern.provider.x86.linear.panel;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Where the bytes of a weight format are in a block (SPEC.md, section F), in plain Java: what
/// [PanelFormat] says in words that are emitted.
///
/// @param offset what is subtracted from a stored value
/// @param head d of a block of several 32, as F16
/// @param scale of 32 inputs, or of 16, as the layout stores it
/// @param headMinimum the factor of minimums, as F16
/// @param minimum what is added to 32 inputs, as the layout stores it
/// @param words stored values
record PanelBlocks(
    BlockFormat format,
    int offset,
    Part head,
    Part scale,
    Part headMinimum,
    Part minimum,
    Words words) {
  /// A number of the block at a byte offset: of its 32, or 16, inputs `n`.
  @FunctionalInterface
  interface Part {
    int of(MemorySegment data, long block, int n);
  }

  /// Word k of a block's 32 inputs `n`: four values, a byte each.
  @FunctionalInterface
  interface Words {
    int of(MemorySegment data, long block, int n, int k);
  }

  private static final Part NONE = (_, _, _) -> 0;

  private static final int NIBBLES = 0x0F0F_0F0F;
  private static final int SIGNS = 0x8080_8080;

  private static final List<PanelBlocks> TABLE =
      List.of(
          row(BlockFormat.Q4_0, 8, NONE, (d, b, _, k) -> nibbles(d, b + 2, k)),
          row(BlockFormat.Q8_0, 128, NONE, (d, b, _, k) -> i32(d, b + 2 + 4 * k) ^ SIGNS),
          row(BlockFormat.Q4_1, 0, half(2), (d, b, _, k) -> nibbles(d, b + 4, k)),
          row(
              BlockFormat.Q5_0,
              16,
              NONE,
              (d, b, _, k) -> nibbles(d, b + 6, k) | fifth(d, b + 2, k)),
          row(
              BlockFormat.Q5_1,
              0,
              half(2),
              (d, b, _, k) -> nibbles(d, b + 8, k) | fifth(d, b + 4, k)),
          row(BlockFormat.IQ4_NL, 128, NONE, (d, b, _, k) -> nibbles(d, b + 2, k)),
          new PanelBlocks(
              BlockFormat.Q4_K,
              0,
              half(0),
              PanelBlocks::scaleK,
              (d, b, _) -> i16(d, b + 2) ^ 0x8000,
              PanelBlocks::minimumK,
              (d, b, n, k) -> nibblesK(d, b + 16, n, k)),
          new PanelBlocks(
              BlockFormat.Q5_K,
              0,
              half(0),
              PanelBlocks::scaleK,
              (d, b, _) -> i16(d, b + 2) ^ 0x8000,
              PanelBlocks::minimumK,
              (d, b, n, k) ->
                  nibblesK(d, b + 48, n, k) | (i32(d, b + 16 + 4 * k) >>> n & 0x0101_0101) << 4),
          new PanelBlocks(
              BlockFormat.Q6_K,
              32,
              half(208),
              (d, b, n) -> d.get(JAVA_BYTE, b + 192 + n),
              NONE,
              NONE,
              PanelBlocks::words6K),
          int4(BlockFormat.INT4_B32),
          int4(BlockFormat.INT4_B64),
          int4(BlockFormat.INT4_B128),
          int4(BlockFormat.INT4_B256),
          new PanelBlocks(
              BlockFormat.INT8_C,
              128,
              NONE,
              NONE,
              NONE,
              NONE,
              (d, b, _, k) -> i32(d, b + 4 * k) ^ SIGNS));

  /// A format of blocks of 32 that begin with a scale of their own.
  private static PanelBlocks row(BlockFormat format, int offset, Part minimum, Words words) {
    return new PanelBlocks(format, offset, NONE, half(0), NONE, minimum, words);
  }

  /// Blocks of 32 or more, whose scales are in a plane of their own.
  private static PanelBlocks int4(BlockFormat format) {
    return new PanelBlocks(
        format, 8, NONE, NONE, NONE, NONE, (d, b, n, k) -> fourNibbles(i16(d, b + 16 * n + 2 * k)));
  }

  static PanelBlocks of(BlockFormat format) {
    return TABLE.stream().filter(f -> f.format.equals(format)).findFirst().orElseThrow();
  }

  /// Four nibbles in their order become four bytes.
  private static int fourNibbles(int bits) {
    return bits & 0xF | (bits & 0xF0) << 4 | (bits & 0xF00) << 8 | (bits & 0xF000) << 12;
  }

  private static int i16(MemorySegment data, long at) {
    return data.get(JAVA_SHORT_UNALIGNED, at);
  }

  private static int i32(MemorySegment data, long at) {
    return data.get(JAVA_INT_UNALIGNED, at);
  }

  private static Part half(int at) {
    return (data, block, _) -> i16(data, block + at);
  }

  /// Inputs 0 to 15 in the low nibbles, 16 to 31 in the high ones.
  private static int nibbles(MemorySegment data, long at, int k) {
    return i32(data, at + 4 * (k % 4)) >>> (k < 4 ? 0 : 4) & NIBBLES;
  }

  /// Four bits become bit 4 of four bytes.
  private static int fifth(MemorySegment data, long at, int k) {
    int four = i32(data, at) >>> 4 * k & 15;
    return (four * 0x0020_4081 & 0x0101_0101) << 4;
  }

  private static int nibblesK(MemorySegment data, long at, int n, int k) {
    return i32(data, at + 32 * (n / 2) + 4 * k) >>> (n % 2 == 0 ? 0 : 4) & NIBBLES;
  }

  private static int words6K(MemorySegment data, long block, int n, int k) {
    int half = n / 4;
    int quarter = n % 4;
    int low = i32(data, block + 64 * half + 32 * (quarter % 2) + 4 * k);
    int high = i32(data, block + 128 + 32 * half + 4 * k);
    return low >>> (quarter < 2 ? 0 : 4) & NIBBLES | (high >>> 2 * quarter & 0x0303_0303) << 4;
  }

  private static int u8(MemorySegment data, long at) {
    return data.get(JAVA_BYTE, at) & 0xFF;
  }

  /// Six bits of s[12], which begins at byte 4.
  private static int scaleK(MemorySegment data, long block, int n) {
    long s = block + 4;
    return n < 4 ? u8(data, s + n) & 63 : u8(data, s + n + 4) & 15 | u8(data, s + n - 4) >> 6 << 4;
  }

  private static int minimumK(MemorySegment data, long block, int n) {
    long s = block + 4;
    return n < 4 ? u8(data, s + n + 4) & 63 : u8(data, s + n + 4) >> 4 | u8(data, s + n) >> 6 << 4;
  }
}

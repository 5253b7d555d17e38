package dev.quern.provider.x86.linear.panel;

import dev.quern.data.BlockFormat;
import dev.quern.op.Numerics;
import dev.quern.provider.x86.linear.panel.PanelLayout.Scales;
import java.util.List;
import java.util.Optional;

/// A weight format as a panel holds it; a new one is a row of the table. Where its bytes are in a
/// block is in SPEC.md, section F. x86 is little-endian, as the formats are.
///
/// @param bits of a stored value
/// @param offset what is subtracted from a stored value
/// @param scales of a block of 32
/// @param head d of a block of several 32, as F16
/// @param scale of 32 inputs, or of 16, as the layout stores it
/// @param headMinimum the factor of minimums, as F16
/// @param minimum what is added to 32 inputs, as the layout stores it; [#NONE] for nothing
/// @param words stored words j, without planes
/// @param upper the fifth bit, or fifth and sixth, of word k's values, at bit 0 of every byte
/// @param blocksPerHead how many 32 inputs share a head; 1 where there are none
/// @param lookup what stored values of 4 bits stand for; empty where they are values
public record PanelFormat(
    BlockFormat format,
    int bits,
    int offset,
    Scales scales,
    Part head,
    Part scale,
    Part headMinimum,
    Part minimum,
    Words words,
    Words upper,
    int blocksPerHead,
    List<Integer> lookup) {
  /// A number of the block: of its 32, or 16, inputs `n`.
  @FunctionalInterface
  interface Part {
    BlockWord of(int n);
  }

  /// Word k of a block's 32 inputs `n`: of four values, a byte each.
  @FunctionalInterface
  interface Words {
    BlockWord of(int n, int k);
  }

  private static final List<Integer> NO_LOOKUP = List.of();

  private static final List<Integer> IQ4_NL =
      List.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

  static final Part NONE =
      _ -> {
        throw new IllegalStateException("the format has no such number");
      };

  private static final Words NO_UPPER =
      (_, _) -> {
        throw new IllegalStateException("the format has no more than its words");
      };

  private static final int LOW = 0x0F0F_0F0F; // nibbles
  private static final int HIGH = 0xF0F0_F0F0;
  private static final int SIGNS = 0x8080_8080;

  /// Q8_0's values get an offset of 128 by turning their sign bit over. What the K formats subtract
  /// is added with the sign of its factor turned over.
  private static final List<PanelFormat> TABLE =
      List.of(
          row(BlockFormat.Q4_0, 4, 8, NONE, (_, j) -> word(2 + 4 * j), NO_UPPER),
          row(BlockFormat.Q8_0, 8, 128, NONE, (_, j) -> word(2 + 4 * j).xor(SIGNS), NO_UPPER),
          row(BlockFormat.Q4_1, 4, 0, half(2), (_, j) -> word(4 + 4 * j), NO_UPPER),
          row(BlockFormat.Q5_0, 5, 16, NONE, (_, j) -> word(6 + 4 * j), (_, k) -> fifth(2, k)),
          row(BlockFormat.Q5_1, 5, 0, half(2), (_, j) -> word(8 + 4 * j), (_, k) -> fifth(4, k)),
          looksUp(BlockFormat.IQ4_NL, IQ4_NL, (_, j) -> word(2 + 4 * j)),
          new PanelFormat(
              BlockFormat.Q4_K,
              4,
              0,
              Scales.U8,
              _ -> word(0).and(0xFFFF),
              PanelFormat::scaleK,
              _ -> word(0).shift(-16).xor(0x8000),
              PanelFormat::minimumK,
              (n, j) -> nibblesK(16 + n / 2 * 32, n % 2, j),
              NO_UPPER,
              8,
              NO_LOOKUP),
          new PanelFormat(
              BlockFormat.Q5_K,
              5,
              0,
              Scales.U8,
              _ -> word(0).and(0xFFFF),
              PanelFormat::scaleK,
              _ -> word(0).shift(-16).xor(0x8000),
              PanelFormat::minimumK,
              (n, j) -> nibblesK(48 + n / 2 * 32, n % 2, j),
              (n, k) -> word(16 + 4 * k).shift(-n).and(0x0101_0101),
              8,
              NO_LOOKUP),
          new PanelFormat(
              BlockFormat.Q6_K,
              6,
              32,
              Scales.S8_HALVES,
              half(208),
              n -> bits(192 + n / 4 * 4, n % 4 * 8, 8),
              NONE,
              NONE,
              (n, j) -> nibblesK(64 * (n / 4) + 32 * (n % 2), n % 4 / 2, j),
              (n, k) -> word(128 + 32 * (n / 4) + 4 * k).shift(n % 4 * -2).and(0x0303_0303),
              8,
              NO_LOOKUP),
          int4(BlockFormat.INT4_B32),
          int4(BlockFormat.INT4_B64),
          int4(BlockFormat.INT4_B128),
          int4(BlockFormat.INT4_B256),
          new PanelFormat(
              BlockFormat.INT8_C,
              8,
              128,
              Scales.F32_FOOT,
              NONE,
              NONE,
              NONE,
              NONE,
              (_, j) -> word(4 * j).xor(SIGNS),
              NO_UPPER,
              1,
              NO_LOOKUP));

  /// A format of blocks of 32 that begin with a scale of their own.
  private static PanelFormat row(
      BlockFormat format, int bits, int offset, Part minimum, Words words, Words upper) {
    return new PanelFormat(
        format, bits, offset, Scales.F16, NONE, half(0), NONE, minimum, words, upper, 1, NO_LOOKUP);
  }

  /// The same, whose nibbles are indices of a table.
  private static PanelFormat looksUp(BlockFormat format, List<Integer> lookup, Words words) {
    return new PanelFormat(
        format, 4, 128, Scales.F16, NONE, half(0), NONE, NONE, words, NO_UPPER, 1, lookup);
  }

  /// Blocks of 32 or more, whose scales are in a plane of their own.
  private static PanelFormat int4(BlockFormat format) {
    return new PanelFormat(
        format,
        4,
        8,
        Scales.BF16_HEAD,
        NONE,
        NONE,
        NONE,
        NONE,
        (n, j) -> fourNibbles(n, j).or(fourNibbles(n, j + 4).shift(4)),
        NO_UPPER,
        format.blockElements() / PanelLayout.BLOCK,
        NO_LOOKUP);
  }

  /// Inputs 4k .. 4k+3 of 32, two in a byte, become four bytes.
  private static BlockWord fourNibbles(int n, int k) {
    BlockWord half = bits(16 * n + k / 2 * 4, k % 2 * 16, 16);
    return half.spread(8).and(0x00FF_00FF).spread(4).and(LOW);
  }

  /// All formats of blocks that have panels.
  public static List<PanelFormat> table() {
    return TABLE;
  }

  /// A format's row; empty where it has none.
  public static Optional<PanelFormat> of(BlockFormat format) {
    return TABLE.stream().filter(f -> f.format.equals(format)).findFirst();
  }

  /// The arithmetic of its products.
  public Numerics numerics() {
    return layout(1).wholeRows() ? Numerics.INT8_ASYM_ROW : Numerics.INT8_SYM_32;
  }

  /// How it lies in panels of so many outputs.
  public PanelLayout layout(int outputs) {
    return new PanelLayout(outputs, bits, scales, minimum != NONE, blocksPerHead, lookup);
  }

  private static BlockWord word(int at) {
    return new BlockWord.Word(at);
  }

  private static Part half(int at) {
    return _ -> new BlockWord.Half(at);
  }

  /// So many bits of a word, from one on.
  private static BlockWord bits(int at, int from, int count) {
    BlockWord shifted = word(at).shift(-from);
    return from + count == Integer.SIZE ? shifted : shifted.and((1 << count) - 1);
  }

  /// Four bits become bit 0 of four bytes.
  private static BlockWord fifth(int at, int k) {
    return bits(at, 4 * k, 4).times(0x0020_4081).and(0x0101_0101);
  }

  /// Bytes of 32 inputs in their low nibbles and of 32 others in the high ones: of these or those.
  private static BlockWord nibblesK(int at, int high, int j) {
    BlockWord first = word(at + 4 * j);
    BlockWord second = word(at + 16 + 4 * j);
    return high == 0
        ? first.and(LOW).or(second.shift(4).and(HIGH))
        : first.shift(-4).and(LOW).or(second.and(HIGH));
  }

  /// Six bits of s[12], which begins at byte 4.
  private static BlockWord scaleK(int n) {
    return n < 4
        ? bits(4, 8 * n, 6)
        : bits(12, 8 * (n - 4), 4).or(word(4).shift(-8 * (n - 4) - 2).and(0x30));
  }

  private static BlockWord minimumK(int n) {
    return n < 4
        ? bits(8, 8 * n, 6)
        : bits(12, 8 * (n - 4) + 4, 4).or(word(8).shift(-8 * (n - 4) - 2).and(0x30));
  }
}

package dev.quern.provider.x86.linear.panel;

import java.util.List;

/// A panel: the weights of P outputs, whose lanes are outputs, so that no sum crosses lanes. Its
/// blocks of 32 inputs follow each other, and a panel the one before.
///
/// ```
/// head      of some blocks, if they share something: d: f16[P] | minimum's d: f16[P], if any
///           or scales: bf16[P]
/// block     scales: f16[P], u8[P], s8[2][P] or none | minimums: as scales, if any
///           planes: u8[0 to 2][P][4] | words: u8[4 or 8][P][4]
/// foot      of the panel, where rows of x have a zero point: sums: f32[P], of the scaled weights
///           | scales: f32[P], if blocks have none
/// ```
///
/// Word k of an output is its inputs 4k .. 4k+3. Its stored values are not negative, as the dot
/// products of x86 want them (the first operand of `vpdpbusd` and of `vpmaddubsw` is unsigned);
/// what a format subtracts from them, its offset, is not in the panel.
///
/// ```
/// 8 bits    word k as it is
/// 4 bits    word k in the low nibbles of word k % 4, for k < 4, in the high ones else
/// 5 bits    and bit k of a plane's byte is the fifth bit of word k's
/// 6 bits    and bits 2(k % 4), 2(k % 4) + 1 of plane k / 4 the fifth and sixth
/// ```
///
/// A format whose 4 bits are the index of a table has it beside the panel, in the code: a word is
/// looked up, a byte each (`vpshufb`), and goes on as one of 8 bits with an offset of 128.
///
/// @param outputs P: the lanes of a vector register
/// @param bits of a stored value: 4, 5, 6, 8
/// @param scales what they are
/// @param minimum whether a block has a number that is added to all its values
/// @param blocksPerHead how many share a head; 1 where there are none
/// @param lookup what 4 bits stand for, 16 numbers from -128 to 127; empty where they are values
public record PanelLayout(
    int outputs,
    int bits,
    Scales scales,
    boolean minimum,
    int blocksPerHead,
    List<Integer> lookup) {
  /// Inputs of a block.
  public static final int BLOCK = 32;

  /// Words of an output in a block.
  public static final int WORDS = BLOCK / 4;

  /// What scales a block has.
  public enum Scales {
    /// One, F16.
    F16(Short.BYTES, 1),
    /// A byte, which the head's d is multiplied with.
    U8(1, 1),
    /// Two signed bytes, for 16 inputs each.
    S8_HALVES(1, 2),
    /// None: the head has one, BF16.
    BF16_HEAD(0, 1),
    /// None: the panel's foot has one, F32.
    F32_FOOT(0, 1),
    /// One, F32, as unpacked panels have it.
    F32(Float.BYTES, 1),
    /// Two, F32, for 16 inputs each.
    F32_HALVES(Float.BYTES, 2),
    /// One, F32, where rows of x are rounded as a whole.
    F32_WHOLE_ROWS(Float.BYTES, 1);

    private final int bytes;
    private final int count;

    Scales(int bytes, int count) {
      this.bytes = bytes;
      this.count = count;
    }
  }

  /// What all formats are brought to before tiles multiply them: 8 bits, less the format's offset
  /// and so signed; scales and minimums as F32, by the head's factors; the foot as it is.
  public PanelLayout unpacked() {
    Scales unpacked =
        switch (scales) {
          case F16, U8 -> Scales.F32;
          case S8_HALVES -> Scales.F32_HALVES;
          case BF16_HEAD -> Scales.F32_WHOLE_ROWS;
          case F32_FOOT, F32, F32_HALVES, F32_WHOLE_ROWS -> scales;
        };
    return new PanelLayout(outputs, 8, unpacked, minimum, 1, List.of());
  }

  /// Bits of a value as products read it.
  public int valueBits() {
    return looksUp() ? 8 : bits;
  }

  public boolean looksUp() {
    return !lookup.isEmpty();
  }

  /// The table as data of a vector: each 16 bytes of it have all.
  ///
  /// @param offset what is added to its numbers
  public int[] lookupWords(int vectorBytes, int offset) {
    int[] words = new int[vectorBytes / Integer.BYTES];
    for (int i = 0; i < vectorBytes; i++) {
      int value = lookup.get(i % lookup.size()) + offset & 0xFF;
      words[i / Integer.BYTES] |= value << 8 * (i % Integer.BYTES);
    }
    return words;
  }

  /// Groups of inputs in a block that have a scale each.
  public int groups() {
    return scales.count;
  }

  /// Whether rows of x are rounded as a whole, with a zero point (`int8-asym-row`), and not in
  /// groups of 32.
  public boolean wholeRows() {
    return scales == Scales.BF16_HEAD
        || scales == Scales.F32_FOOT
        || scales == Scales.F32_WHOLE_ROWS;
  }

  /// Bytes of a head; 0 where there are none.
  public int headBytes() {
    return hasHeads() ? Short.BYTES * (minimum ? 2 : 1) * outputs : 0;
  }

  public boolean hasHeads() {
    return scales == Scales.U8 || scales == Scales.S8_HALVES || scales == Scales.BF16_HEAD;
  }

  /// Where a head has the factors of minimums, in bytes.
  public int headMinimumsAt() {
    return Short.BYTES * outputs;
  }

  /// Bytes of a panel of blocks, a multiple of those that share a head.
  public long bytes(int blocks) {
    return footAt(blocks) + footBytes();
  }

  /// Where a panel of so many blocks has its foot.
  public long footAt(int blocks) {
    return (long) blocks * blockBytes() + (long) (blocks / blocksPerHead) * headBytes();
  }

  /// Bytes of a foot; 0 where there is none.
  public int footBytes() {
    return wholeRows()
        ? footScalesAt() + (scales == Scales.F32_FOOT ? Float.BYTES * outputs : 0)
        : 0;
  }

  /// Where a foot has scales, in bytes.
  public int footScalesAt() {
    return Float.BYTES * outputs;
  }

  /// Where the scales of a group begin in a block, in bytes.
  public int scalesAt(int group) {
    return scales.bytes * group * outputs;
  }

  /// Bytes from an output's scale to the next one's; of a minimum too.
  public int scaleBytes() {
    return scales.bytes;
  }

  public int minimumsAt() {
    return scalesAt(groups());
  }

  /// How many planes of upper bits there are.
  public int planes() {
    return bits == 8 ? 0 : bits - 4;
  }

  public int planeAt(int plane) {
    return scales.bytes * (groups() + (minimum ? 1 : 0)) * outputs
        + Integer.BYTES * plane * outputs;
  }

  /// Where stored words j of all outputs begin in a block, in bytes.
  public int wordsAt(int j) {
    return planeAt(planes() + j);
  }

  /// Stored words of an output in a block.
  int storedWords() {
    return bits == 8 ? WORDS : WORDS / 2;
  }

  /// Bytes of a block.
  public int blockBytes() {
    return wordsAt(storedWords());
  }

  /// The plane that has upper bits of word k.
  public int planeOf(int k) {
    return bits == 6 ? k / 4 : 0;
  }

  /// How far upper bits of word k are to be shifted to the left to be at bit 4; to the right where
  /// it is negative.
  public int planeShift(int k) {
    return bits == 6 ? 4 - 2 * (k % 4) : 4 - k;
  }

  /// Bit 4, or bits 4 and 5, of every byte.
  public int upperBits() {
    return bits == 6 ? 0x3030_3030 : 0x1010_1010;
  }
}

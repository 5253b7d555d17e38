package dev.quern.provider.vector.lanes;

/// How a binary16 number becomes a float, exactly: its bits go where those of a float are
/// ([#FIELDS]), and a multiplication by [#REBASE] rebases the exponent, which also makes subnormals
/// normal. What had the largest exponent, infinities and NaN, comes out at [#LIMIT] or above.
///
/// The loops themselves are where they are used, since C2 inlines no helpers into a large one.
public final class Halves {
  /// Sign, low exponent and fraction, of bits that are shifted left by 13.
  public static final int FIELDS = 0x8FFF_E000;

  /// From an exponent's bias of 15 to one of 127.
  public static final float REBASE = 0x1p112f;

  /// No number of binary16 is as large.
  public static final float LIMIT = 0x1p16f;

  /// The largest exponent of a float, as bits: or-ed in, it makes an infinity or NaN again.
  public static final int NON_FINITE = 0x7F80_0000;

  private Halves() {}
}

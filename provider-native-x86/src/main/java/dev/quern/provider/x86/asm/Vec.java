package dev.quern.provider.x86.asm;

/// A vector register: xmm, ymm and zmm of one number share their lower bits.
///
/// @param number 0 to 31; those from 16 on need AVX-512
/// @param bits 128, 256 or 512
public record Vec(int number, int bits) implements Register {
  public Vec {
    if (number < 0 || number > 31 || (bits != 128 && bits != 256 && bits != 512)) {
      throw new IllegalArgumentException(
          "vector register "
              + number
              + " of "
              + bits
              + " bits: expected 0 to 31, of 128, 256 or 512 bits");
    }
  }

  /// 128 bits.
  public static Vec xmm(int number) {
    return new Vec(number, 128);
  }

  /// 256 bits.
  public static Vec ymm(int number) {
    return new Vec(number, 256);
  }

  /// 512 bits.
  public static Vec zmm(int number) {
    return new Vec(number, 512);
  }

  /// The lower part of it, or the whole that it is part of.
  public Vec as(int otherBits) {
    return new Vec(number, otherBits);
  }

  public int bytes() {
    return bits / 8;
  }

  /// As a destination of which only the elements that the mask names are written.
  public Masked with(Mask mask) {
    return new Masked(this, mask, false);
  }

  /// As a destination of which all elements that the mask does not name become zero.
  public Masked zeroing(Mask mask) {
    return new Masked(this, mask, true);
  }

  @Override
  public String toString() {
    return (bits == 128 ? "xmm" : bits == 256 ? "ymm" : "zmm") + number;
  }
}

package dev.quern.provider.x86.asm;

/// A mask register of AVX-512. As a write mask k0 can't be named: its number means none.
///
/// @param number 0 to 7
public record Mask(int number) implements Register {
  public Mask {
    if (number < 0 || number > 7) {
      throw new IllegalArgumentException("mask register " + number + ": expected 0 to 7");
    }
  }

  public static Mask k(int number) {
    return new Mask(number);
  }

  /// As a destination: a comparison's bits that the other mask does not name become zero.
  public Masked with(Mask mask) {
    return new Masked(this, mask, false);
  }

  @Override
  public String toString() {
    return "k" + number;
  }
}

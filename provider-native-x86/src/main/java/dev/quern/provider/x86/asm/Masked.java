package dev.quern.provider.x86.asm;

/// A destination under a write mask (SDM volume 1, 15.6.1).
///
/// @param target a vector, memory, or the mask that a comparison writes
/// @param mask k1 to k7
/// @param zeroing whether elements that are not named become zero and don't stay
public record Masked(Operand target, Mask mask, boolean zeroing) implements Operand {
  public Masked {
    if (!(target instanceof Vec || target instanceof Mem || target instanceof Mask)) {
      throw new IllegalArgumentException(
          target + " under a mask: expected a vector, memory or a mask register");
    }
    if (mask.number() == 0) {
      throw new IllegalArgumentException(
          target + " under mask k0, which can't be one: take k1 to k7");
    }
    if (zeroing && !(target instanceof Vec)) {
      throw new IllegalArgumentException(target + " can't be zeroed by a mask: only a vector can");
    }
  }

  /// As the manual writes it: `zmm1{k1}{z}`.
  @Override
  public String toString() {
    return target + "{" + mask + "}" + (zeroing ? "{z}" : "");
  }
}

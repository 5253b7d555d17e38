package dev.quern.provider.x86.asm;

import java.util.Objects;

/// An address: `base + index * scale + displacement`, or a label's place plus a displacement. How
/// many bytes are read or written there is the instruction's affair, as far as its other operands
/// say; [#sized] says it where they don't: `inc` of memory.
///
/// @param base null where there is a label
/// @param index null for none; never rsp
/// @param scale 1, 2, 4 or 8
/// @param label null where there is a base
/// @param bytes how many there; 0 for the first form that takes the other operands
public record Mem(Gp base, Gp index, int scale, int displacement, Label label, int bytes)
    implements Operand {
  public Mem {
    if ((base == null) == (label == null) || (label != null && index != null)) {
      throw new IllegalArgumentException(
          "an address needs a base register or a label, and an index goes with a base only");
    }
    if (base != null && base.bits() != 64 || index != null && index.bits() != 64) {
      throw new IllegalArgumentException("an address has 64-bit registers: not " + base + index);
    }
    if (index != null && index.number() == Gp.RSP.number()) {
      throw new IllegalArgumentException("rsp can't be an index (SDM volume 2, 2.1.5)");
    }
    if (scale != 1 && scale != 2 && scale != 4 && scale != 8) {
      throw new IllegalArgumentException("scale " + scale + " of an index: expected 1, 2, 4 or 8");
    }
  }

  /// `[base]`
  public static Mem ptr(Gp base) {
    return new Mem(base, null, 1, 0, null, 0);
  }

  /// `[base + displacement]`
  public static Mem ptr(Gp base, long displacement) {
    return new Mem(base, null, 1, Math.toIntExact(displacement), null, 0);
  }

  /// `[base + index * scale]`
  public static Mem ptr(Gp base, Gp index, int scale) {
    return ptr(base, index, scale, 0);
  }

  /// `[base + index * scale + displacement]`
  public static Mem ptr(Gp base, Gp index, int scale, long displacement) {
    return new Mem(
        base,
        Objects.requireNonNull(index, "index"),
        scale,
        Math.toIntExact(displacement),
        null,
        0);
  }

  /// Where the label is placed, relative to the instruction: `[rip + label]`.
  public static Mem ptr(Label label) {
    return new Mem(null, null, 1, 0, label, 0);
  }

  /// Some bytes on.
  public Mem plus(long more) {
    int sum = Math.toIntExact(Math.addExact((long) displacement, more));
    return new Mem(base, index, scale, sum, label, bytes);
  }

  /// An operand of so many bytes there.
  public Mem sized(int bytesThere) {
    return new Mem(base, index, scale, displacement, label, bytesThere);
  }

  /// The element there for all elements.
  public Broadcast broadcast() {
    return new Broadcast(this);
  }

  /// As a destination of which only the elements that the mask names are written.
  public Masked with(Mask mask) {
    return new Masked(this, mask, false);
  }

  /// In Intel syntax, without the size: `[rsi+rax*4-64]`.
  @Override
  public String toString() {
    return "["
        + (label != null ? "rip+" + label : base)
        + (index == null ? "" : "+" + index + "*" + scale)
        + (displacement == 0 ? "" : displacement > 0 ? "+" + displacement : displacement)
        + "]";
  }
}

package dev.quern.provider.x86.asm;

import java.util.List;

/// A general-purpose register, or a part of one.
///
/// @param number 0 to 15, as the encoding counts them
/// @param bits 8, 16, 32 or 64. Writing 32 of them clears the others, writing fewer does not
public record Gp(int number, int bits) implements Register {
  public static final Gp RAX = new Gp(0, 64);
  public static final Gp RCX = new Gp(1, 64);
  public static final Gp RDX = new Gp(2, 64);
  public static final Gp RBX = new Gp(3, 64);
  public static final Gp RSP = new Gp(4, 64);
  public static final Gp RBP = new Gp(5, 64);
  public static final Gp RSI = new Gp(6, 64);
  public static final Gp RDI = new Gp(7, 64);
  public static final Gp R8 = new Gp(8, 64);
  public static final Gp R9 = new Gp(9, 64);
  public static final Gp R10 = new Gp(10, 64);
  public static final Gp R11 = new Gp(11, 64);
  public static final Gp R12 = new Gp(12, 64);
  public static final Gp R13 = new Gp(13, 64);
  public static final Gp R14 = new Gp(14, 64);
  public static final Gp R15 = new Gp(15, 64);

  private static final List<String> OLD = List.of("ax", "cx", "dx", "bx", "sp", "bp", "si", "di");

  public Gp {
    if (number < 0 || number > 15 || (bits != 8 && bits != 16 && bits != 32 && bits != 64)) {
      throw new IllegalArgumentException(
          "register "
              + number
              + " of "
              + bits
              + " bits: expected 0 to 15, of 8, 16, 32 or 64 bits");
    }
  }

  /// All of it, as an address needs it.
  public Gp r64() {
    return new Gp(number, 64);
  }

  /// Its lower half, as `eax` is of `rax`.
  public Gp r32() {
    return new Gp(number, 32);
  }

  /// Its lower 16 bits, as `ax` is of `rax`.
  public Gp r16() {
    return new Gp(number, 16);
  }

  /// Its lowest byte, as `al` is of `rax`. Never `ah`.
  public Gp r8() {
    return new Gp(number, 8);
  }

  /// Its name: `rax`, `eax`, `ax`, `al`; `r8`, `r8d`, `r8w`, `r8b`.
  @Override
  public String toString() {
    if (number > 7) {
      return "r"
          + number
          + switch (bits) {
            case 8 -> "b";
            case 16 -> "w";
            case 32 -> "d";
            default -> "";
          };
    }
    String old = OLD.get(number);
    return switch (bits) {
      case 8 -> number < 4 ? old.charAt(0) + "l" : old + "l";
      case 16 -> old;
      case 32 -> "e" + old;
      default -> "r" + old;
    };
  }
}

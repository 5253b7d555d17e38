package dev.quern.provider.x86.asm;

import java.util.Locale;

/// Where one operand of a form goes, and what it may be. Written as in the table of [Op]:
///
/// | | |
/// |---|---|
/// | `V` `H` `U` `W` | a vector of the instruction's length: in ModRM.reg, in VEX.vvvv, in ModRM.rm, in ModRM.rm or memory (the manual's opcode map, SDM volume 2, A.2.1) |
/// | `V2` `W4` | a half, a quarter of that length; a register has 128 bits at least |
/// | `Vx` `Hx` `Ux` `Wx/4` `Wy/32` | xmm or ymm; the memory in its place has 4, 32 bytes |
/// | `M` `M/16` | memory only, of the instruction's length or of 16 bytes; `M/0` for its address alone; `S` with a SIB byte always (AMX) |
/// | `G32` `R32` `E32` `O32` `A32` | a general-purpose register: in ModRM.reg, in ModRM.rm, there or memory, in the opcode, rax and nowhere |
/// | `K` `Kr` | a mask register: in ModRM.reg, in ModRM.rm |
/// | `T` `Tr` `Tv` | a tile: in ModRM.reg, in ModRM.rm, in VEX.vvvv |
/// | `ib` `id` `io` `1` | an immediate of 1, 4, 8 bytes; the number 1, which is not encoded |
/// | `ub` | one of 1 byte that is not a number: 0 to 255 |
/// | `is4` | a vector in the upper bits of an immediate byte |
/// | `cb` `cd` | a label, 1 or 4 bytes relative to the next instruction |
///
/// @param registerBits of a register: as many; `LENGTH` for the instruction's length, `HALF`...
/// @param memoryBytes of memory: as many, or such a name; `NONE` where memory can't stand
record Slot(Place place, Kind kind, int registerBits, int memoryBytes) {
  /// Where it is encoded.
  enum Place {
    REG,
    RM,
    VVVV,
    OPCODE,
    IMMEDIATE,
    REGISTER_IMMEDIATE,
    NOWHERE
  }

  /// What it is.
  enum Kind {
    GP,
    VECTOR,
    MASK,
    TILE,
    MEMORY,
    SIB,
    SIGNED,
    UNSIGNED,
    ONE,
    RELATIVE
  }

  static final int LENGTH = -1;
  static final int HALF = -2;
  static final int QUARTER = -4;
  static final int NONE = -100;

  /// Reads the notation above.
  static Slot of(String text) {
    switch (text) {
      case "ib", "id", "io":
        return new Slot(Place.IMMEDIATE, Kind.SIGNED, bits(text.charAt(1)), NONE);
      case "ub":
        return new Slot(Place.IMMEDIATE, Kind.UNSIGNED, 8, NONE);
      case "cb", "cd":
        return new Slot(Place.IMMEDIATE, Kind.RELATIVE, bits(text.charAt(1)), NONE);
      case "1":
        return new Slot(Place.NOWHERE, Kind.ONE, 0, NONE);
      case "is4":
        return new Slot(Place.REGISTER_IMMEDIATE, Kind.VECTOR, LENGTH, NONE);
      case "K":
        return new Slot(Place.REG, Kind.MASK, 64, NONE);
      case "Kr":
        return new Slot(Place.RM, Kind.MASK, 64, NONE);
      case "T":
        return new Slot(Place.REG, Kind.TILE, 0, NONE);
      case "Tr":
        return new Slot(Place.RM, Kind.TILE, 0, NONE);
      case "Tv":
        return new Slot(Place.VVVV, Kind.TILE, 0, NONE);
      case "S":
        return new Slot(Place.RM, Kind.SIB, NONE, 0);
      default:
    }
    int slash = text.indexOf('/');
    String size = text.substring(1, slash < 0 ? text.length() : slash);
    int bytes = slash < 0 ? NONE : Integer.parseInt(text.substring(slash + 1));
    return switch (text.charAt(0)) {
      case 'V' -> new Slot(Place.REG, Kind.VECTOR, vectorBits(size), NONE);
      case 'H' -> new Slot(Place.VVVV, Kind.VECTOR, vectorBits(size), NONE);
      case 'U' -> new Slot(Place.RM, Kind.VECTOR, vectorBits(size), NONE);
      case 'W' -> {
        int bits = vectorBits(size);
        yield new Slot(Place.RM, Kind.VECTOR, bits, slash < 0 ? bits : bytes);
      }
      case 'M' -> new Slot(Place.RM, Kind.MEMORY, NONE, slash < 0 ? LENGTH : bytes);
      case 'G' -> new Slot(Place.REG, Kind.GP, Integer.parseInt(size), NONE);
      case 'R' -> new Slot(Place.RM, Kind.GP, Integer.parseInt(size), NONE);
      case 'E' -> new Slot(Place.RM, Kind.GP, Integer.parseInt(size), Integer.parseInt(size) / 8);
      case 'O' -> new Slot(Place.OPCODE, Kind.GP, Integer.parseInt(size), NONE);
      case 'A' -> new Slot(Place.NOWHERE, Kind.GP, Integer.parseInt(size), NONE);
      default -> throw new IllegalArgumentException("no such slot: " + text);
    };
  }

  private static int bits(char size) {
    return size == 'b' ? 8 : size == 'd' ? 32 : 64;
  }

  private static int vectorBits(String size) {
    return switch (size) {
      case "" -> LENGTH;
      case "2" -> HALF;
      case "4" -> QUARTER;
      case "x" -> 128;
      case "y" -> 256;
      default -> throw new IllegalArgumentException("no such vector: " + size);
    };
  }

  /// Bits of its register in an instruction of `length` bits.
  int registerBits(int length) {
    return registerBits >= 0 ? registerBits : Math.max(128, length / -registerBits);
  }

  /// Bytes of its memory in an instruction of `length` bits.
  int memoryBytes(int length) {
    return memoryBytes >= 0 ? memoryBytes : length / 8 / -memoryBytes;
  }

  boolean takesMemory() {
    return memoryBytes != NONE;
  }

  /// Whether the operand can stand here.
  ///
  /// @param length the instruction's vector length in bits
  /// @param registers how many vector registers the encoding can name
  boolean takes(Operand operand, int length, int registers) {
    return switch (operand) {
      case Gp r ->
          kind == Kind.GP
              && r.bits() == registerBits
              && (place != Place.NOWHERE || r.number() == 0);
      case Vec r ->
          kind == Kind.VECTOR && r.bits() == registerBits(length) && r.number() < registers;
      case Mask r -> kind == Kind.MASK;
      case Tile r -> kind == Kind.TILE;
      case Mem m ->
          takesMemory()
              && (kind != Kind.SIB || m.label() == null)
              && (m.bytes() == 0 || m.bytes() == memoryBytes(length));
      case Imm i -> takes(i.value());
      case Label l -> kind == Kind.RELATIVE;
      case Broadcast b -> false;
      case Masked m -> false;
    };
  }

  private boolean takes(long value) {
    return switch (kind) {
      case SIGNED ->
          registerBits == 64
              || registerBits == 32 && value == (int) value
              || registerBits == 8 && value == (byte) value;
      case UNSIGNED -> value >= 0 && value <= 255;
      case ONE -> value == 1;
      default -> false;
    };
  }

  @Override
  public String toString() {
    return place.name().toLowerCase(Locale.ROOT) + " " + kind.name().toLowerCase(Locale.ROOT);
  }
}

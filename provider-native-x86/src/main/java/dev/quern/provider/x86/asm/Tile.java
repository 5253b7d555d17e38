package dev.quern.provider.x86.asm;

/// A tile register of AMX: up to 16 rows of up to 64 bytes, as `ldtilecfg` says.
///
/// @param number 0 to 7
public record Tile(int number) implements Register {
  public Tile {
    if (number < 0 || number > 7) {
      throw new IllegalArgumentException("tile register " + number + ": expected 0 to 7");
    }
  }

  public static Tile tmm(int number) {
    return new Tile(number);
  }

  @Override
  public String toString() {
    return "tmm" + number;
  }
}

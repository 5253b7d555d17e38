package dev.quern.provider.x86.linear.floats;

import dev.quern.provider.x86.asm.Vec;
import dev.quern.provider.x86.cpu.CpuRow;
import java.util.List;

/// What multiplies rows that are floats by panels, of F32 by FMA on a row of the table of CPUs, of
/// BF16 by its dot product. A panel has two vectors of outputs, which are called slices: each x
/// that is broadcast then serves two FMAs, and a load port is never what limits a tile.
///
/// Registers: the sums from 0 on, a row's two beside each other; temporary ones from the last down.
///
/// @param row whose CPUs have it
/// @param bits of a vector
/// @param registers how many vectors there are
/// @param maxRows of a tile
public record FloatUnit(CpuRow row, int bits, int registers, int maxRows) {
  /// Vectors of a panel's outputs.
  public static final int SLICES = 2;

  /// 12 rows: 24 sums, x, two weights; 24 FMAs and 14 loads an input. 6 rows: 12 sums and 8 loads.
  private static final List<FloatUnit> TABLE =
      List.of(
          new FloatUnit(CpuRow.AVX512_VNNI, 512, 32, 12), new FloatUnit(CpuRow.AVX2, 256, 16, 6));

  /// Units of F32, best first.
  public static List<FloatUnit> table() {
    return TABLE;
  }

  /// The best unit that code of a row may use.
  public static FloatUnit of(CpuRow row) {
    return TABLE.stream()
        .filter(unit -> row.needs().containsAll(unit.row.needs()))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no F32 products for CPU row " + row));
  }

  /// F32 numbers of a vector.
  public int lanes() {
    return bits / Float.SIZE;
  }

  /// Outputs of a panel.
  public int outputs() {
    return SLICES * lanes();
  }

  /// Where a slice's sums of a row are.
  public Vec sum(int tileRow, int slice) {
    return new Vec(SLICES * tileRow + slice, bits);
  }

  /// A temporary register; 0 is the product's, for x.
  public Vec temporary(int n) {
    return new Vec(registers - 1 - n, bits);
  }
}

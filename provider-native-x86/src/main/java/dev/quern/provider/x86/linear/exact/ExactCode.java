package dev.quern.provider.x86.linear.exact;

import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.linear.floats.FloatCode;
import dev.quern.provider.x86.linear.floats.FloatPanels;
import dev.quern.provider.x86.linear.floats.FloatUnit;
import dev.quern.provider.x86.linear.floats.WeightPanels;
import dev.quern.provider.x86.linear.panel.RowPacking;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.provider.x86.memory.Routine;
import dev.quern.provider.x86.memory.RoutineLoader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The code of a format in F32 (`exact-f32`), on a unit. For few rows weights are decoded in
/// registers, for more to memory; F32 weights never are.
///
/// Invariant: [ExactProduct] adds in the order of inputs, and decoded weights are the same, so that
/// a row's bits do not depend on how many there are.
///
/// @param packing of its panels
/// @param directRows up to so many rows weights are decoded in registers
/// @param rowCopy of a row of x ([RowCopy])
/// @param decoder of a panel to F32; that of F32 is never called
/// @param fused products by the format's panels, of tiles of 1, 2, ... rows
/// @param products by F32 panels, of tiles of 1, 2, ... rows
record ExactCode(
    FloatUnit unit,
    WeightPanels panels,
    RowPacking packing,
    int directRows,
    Routine rowCopy,
    Routine decoder,
    List<Routine> fused,
    List<Routine> products)
    implements FloatCode {

  /// The code of F32, which the other formats' products need too.
  ///
  /// @throws RefusedException if the system gives no memory for code
  static ExactCode f32(FloatUnit unit, WeightPanels panels, RoutineLoader loader)
      throws RefusedException {
    List<Code> codes = codes(unit, panels, RowCopy.code().named("row-copy-" + unit.row()));
    List<Routine> routines = loader.load(codes);
    List<Routine> products = List.copyOf(routines.subList(1, routines.size() - 1));
    Routine none =
        (_, _, _, _) -> {
          throw new IllegalStateException("F32 weights are not decoded");
        };
    return new ExactCode(
        unit,
        panels,
        panels.packing(routines.getLast()),
        Integer.MAX_VALUE,
        routines.getFirst(),
        none,
        products,
        products);
  }

  /// The code of another format.
  ///
  /// @throws RefusedException if the system gives no memory for code
  static ExactCode load(ExactCode f32, WeightPanels panels, RoutineLoader loader)
      throws RefusedException {
    FloatUnit unit = f32.unit;
    String name = name(unit, panels);
    List<Code> codes =
        codes(unit, panels, ExactProduct.decoder(unit, panels).named(name + "-decoder"));
    List<Routine> routines = loader.load(codes);
    List<Routine> fused = List.copyOf(routines.subList(1, routines.size() - 1));
    return new ExactCode(
        unit,
        panels,
        panels.packing(routines.getLast()),
        fused.size(),
        f32.rowCopy,
        routines.getFirst(),
        fused,
        f32.products);
  }

  /// A code, products, and the packing.
  private static List<Code> codes(FloatUnit unit, WeightPanels panels, Code first) {
    String name = name(unit, panels);
    List<Code> codes = new ArrayList<>(List.of(first));
    for (int rows = 1; rows <= panels.fusedRows(unit); rows++) {
      codes.add(ExactProduct.code(unit, panels, rows).named(name + "-rows-" + rows));
    }
    codes.add(panels.packing().named(name + "-packing"));
    return codes;
  }

  private static String name(FloatUnit unit, WeightPanels panels) {
    return panels.format().id().toLowerCase(Locale.ROOT) + "-f32-" + unit.row();
  }

  /// Of the format and the unit: `q4_0-f32-avx512-vnni`. Its codes' names begin with it.
  String name() {
    return name(unit, panels);
  }

  @Override
  public int outputs() {
    return unit.outputs();
  }

  @Override
  public int maxRows(int rows) {
    return unit.maxRows();
  }

  @Override
  public boolean direct(int rows) {
    return rows <= directRows;
  }

  @Override
  public long rowBytes(int inputs) {
    return FloatTile.rowBytes(inputs);
  }

  @Override
  public void setRow(
      MemorySegment block, long at, long x, long tile, int tileRows, int row, int inputs) {
    int padded = Math.ceilDiv(inputs, panels.inputs()) * panels.inputs();
    RowCopy.from(block, at, x, inputs, padded);
    RowCopy.to(block, at, tile, tileRows, row, padded);
  }

  @Override
  public long decodedBytes(int inputs) {
    return (long) Float.BYTES * inputs * outputs();
  }

  /// Packed panels are as wide as decoded ones.
  @Override
  public int decodedStep() {
    return 0;
  }

  @Override
  public int blocks(int inputs, boolean direct) {
    return inputs / (direct ? panels.inputs() : FloatPanels.BLOCK);
  }

  @Override
  public Routine product(int rows, int tileRows) {
    return (direct(rows) ? fused : products).get(tileRows - 1);
  }

  @Override
  public int spillBytes() {
    return 0;
  }

  @Override
  public void setProduct(MemorySegment block, long at, int rows, int tileRows, long spill) {}
}

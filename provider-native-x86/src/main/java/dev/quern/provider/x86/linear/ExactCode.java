package dev.quern.provider.x86.linear;

import dev.quern.provider.x86.asm.Code;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.provider.x86.memory.Routine;
import dev.quern.provider.x86.memory.RoutineLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// The code of a format on a unit, which knows no shapes: one serves all linears of the format.
///
/// @param rowCopy of a row of x ([RowCopy])
/// @param decoder of a panel to F32; that of F32 is never called
/// @param fused products by the format's panels, of tiles of 1, 2, ... rows
/// @param products by F32 panels, of tiles of 1, 2, ... rows
record ExactCode(
    ExactUnit unit,
    WeightPanels panels,
    Routine rowCopy,
    Routine decoder,
    List<Routine> fused,
    List<Routine> products) {

  /// The code of F32, which the other formats' products need too.
  ///
  /// @throws RefusedException if the system gives no memory for code
  static ExactCode f32(ExactUnit unit, WeightPanels panels, RoutineLoader loader)
      throws RefusedException {
    List<Code> codes = new ArrayList<>(List.of(RowCopy.code()));
    codes.addAll(fusedCodes(unit, panels));
    List<Routine> routines = loader.load(codes);
    List<Routine> products = List.copyOf(routines.subList(1, routines.size()));
    Routine none =
        (_, _, _, _) -> {
          throw new IllegalStateException("F32 weights are not decoded");
        };
    return new ExactCode(unit, panels, routines.getFirst(), none, products, products);
  }

  /// The code of another format.
  ///
  /// @throws RefusedException if the system gives no memory for code
  static ExactCode load(ExactCode f32, WeightPanels panels, RoutineLoader loader)
      throws RefusedException {
    ExactUnit unit = f32.unit;
    List<Code> codes = new ArrayList<>(List.of(ExactProduct.decoder(unit, panels)));
    codes.addAll(fusedCodes(unit, panels));
    List<Routine> routines = loader.load(codes);
    List<Routine> fused = List.copyOf(routines.subList(1, routines.size()));
    return new ExactCode(unit, panels, f32.rowCopy, routines.getFirst(), fused, f32.products);
  }

  private static List<Code> fusedCodes(ExactUnit unit, WeightPanels panels) {
    return IntStream.rangeClosed(1, panels.fusedRows(unit))
        .mapToObj(rows -> ExactProduct.code(unit, panels, rows))
        .toList();
  }

  /// Whether weights are read as they are packed, for so many rows, and not decoded to memory
  /// first.
  boolean direct(int rows) {
    return products.equals(fused) || rows <= fused.size();
  }
}

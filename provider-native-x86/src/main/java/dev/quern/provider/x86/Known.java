package dev.quern.provider.x86;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.Kernel;
import java.lang.foreign.Arena;
import java.util.Locale;
import java.util.Optional;

/// What the known answers of all operators share.
final class Known {
  private Known() {}

  /// A workspace of one thread for so many rows.
  static Workspace workspace(Kernel kernel, int rows, Arena arena) {
    return new Workspace(
        arena.allocate(Math.max(1, kernel.scratchBytes(rows, 1)), Workspace.SCRATCH_ALIGNMENT),
        Workers.sequential());
  }

  /// A number of the operands: a multiple of 1/16 between -4 and 4, which every format holds.
  static float number(int i) {
    return (KnownWeights.mix(i) & 127) / 16f - 4;
  }

  static F32Matrix numbers(Arena arena, int rows, int columns, int seed) {
    F32Matrix m = F32Matrix.allocate(arena, rows, columns);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        m.set(r, c, number(seed + r * columns + c));
      }
    }
    return m;
  }

  /// What is wrong with an element, if it is farther off than it may be.
  static Optional<String> wrong(F32Matrix y, int row, int col, double expected, double bound) {
    float actual = y.get(row, col);
    return Math.abs(actual - expected) <= bound // false for NaN
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "of %d rows y[%d][%d] is %s, expected %s",
                y.rows(),
                row,
                col,
                actual,
                (float) expected));
  }
}

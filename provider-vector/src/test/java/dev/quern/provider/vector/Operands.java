package dev.quern.provider.vector;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import java.lang.foreign.Arena;
import java.util.Random;

/// What kernels are called with.
public final class Operands {
  private Operands() {}

  /// A matrix of normally distributed numbers.
  public static F32Matrix gaussian(Arena arena, int rows, int columns, Random random) {
    F32Matrix m = F32Matrix.allocate(arena, rows, columns);
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        m.set(r, c, (float) random.nextGaussian());
      }
    }
    return m;
  }

  /// Scratch, and the calling thread alone.
  public static Workspace workspace(Arena arena, long bytes) {
    return new Workspace(
        arena.allocate(Math.max(1, bytes), Workspace.SCRATCH_ALIGNMENT), Workers.sequential());
  }
}

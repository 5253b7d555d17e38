package dev.quern.provider.vector;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Variant;

/// Several rows of x times packed weights, in one of two arithmetics.
sealed interface PanelRows permits PanelRowsF32, PanelRowsInt16 {
  /// Scratch as in [dev.quern.op.LinearKernel#scratchBytes].
  long scratchBytes(int rows, int parallelism);

  /// As in [dev.quern.op.LinearKernel#apply].
  void apply(F32Matrix x, F32Matrix y, Workspace w);

  /// The faster one for the format and this JVM's vectors. With 512 bits, two fused multiply-adds
  /// of 16 floats a cycle do as much as a multiplication and an addition of 32 shorts, and need no
  /// rounding and no widening; with fewer bits there are not the registers, nor on most CPUs the
  /// units, for that. Only values of 4 bits leave room for sums in a short.
  static PanelRows preferred(LinearSpec spec, WeightPanels panels) {
    return isInt16(panels.format())
        ? new PanelRowsInt16(spec, panels)
        : new PanelRowsF32(spec, panels);
  }

  /// The variant that [#preferred] is.
  static Variant variant(PanelFormat format) {
    return isInt16(format)
        ? new Variant(PanelRowsInt16.NAME, 2, Numerics.INT8_SYM_32)
        : new Variant(PanelRowsF32.NAME, 2, Numerics.EXACT_F32);
  }

  private static boolean isInt16(PanelFormat format) {
    return Lanes.L < 16 && format instanceof Int4Panels;
  }
}

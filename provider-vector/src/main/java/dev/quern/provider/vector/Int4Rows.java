package dev.quern.provider.vector;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Variant;

/// Several rows of x times packed 4-bit weights, in one of two arithmetics.
sealed interface Int4Rows permits Int4RowsF32, Int4RowsInt16 {
  /// Scratch as in [dev.quern.op.LinearKernel#scratchBytes].
  long scratchBytes(int rows, int parallelism);

  /// As in [dev.quern.op.LinearKernel#apply].
  void apply(F32Matrix x, F32Matrix y, Workspace w);

  /// The faster one for this JVM's vectors. With 512 bits, two fused multiply-adds of 16 floats a
  /// cycle do as much as a multiplication and an addition of 32 shorts, and need no rounding and no
  /// widening; with fewer bits there are not the registers, nor on most CPUs the units, for that.
  static Int4Rows preferred(LinearSpec spec, Int4Panels panels) {
    return Lanes.L >= 16 ? new Int4RowsF32(spec, panels) : new Int4RowsInt16(spec, panels);
  }

  /// The variant that [#preferred] is.
  static Variant variant() {
    return Lanes.L >= 16
        ? new Variant(Int4RowsF32.NAME, 2, Numerics.EXACT_F32)
        : new Variant(Int4RowsInt16.NAME, 2, Numerics.INT8_SYM_32);
  }
}

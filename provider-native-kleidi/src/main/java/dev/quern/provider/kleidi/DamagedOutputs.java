package dev.quern.provider.kleidi;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.stream.IntStream;

/// The outputs that have a scale which is infinite or NaN. Micro-kernels end with a clamp, which
/// makes numbers of infinities and, on some CPUs, of NaN; so what they leave there is replaced by
/// NaN (rule L11). It costs a look at the scales while weights are packed, and nothing later.
///
/// @param outputs rising
record DamagedOutputs(int... outputs) {
  private static final ValueLayout.OfShort HALF = JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT = JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  /// Looks at the scales of stacked matrices.
  static DamagedOutputs of(List<WeightMatrix> stacked) {
    IntStream.Builder damaged = IntStream.builder();
    int output = 0;
    for (WeightMatrix m : stacked) {
      for (int row = 0; row < m.outputs(); row++, output++) {
        if (isDamaged(m, row)) {
          damaged.add(output);
        }
      }
    }
    return new DamagedOutputs(damaged.build().toArray());
  }

  private static boolean isDamaged(WeightMatrix m, int row) {
    int blocks = m.format().blocksPerRow(m.inputs());
    if (m.format().equals(BlockFormat.INT8_C)) {
      return !Float.isFinite(m.scales().get(FLOAT, 4L * row));
    }
    boolean binary16 = m.format().equals(BlockFormat.Q4_0);
    for (long b = (long) row * blocks; b < (long) (row + 1) * blocks; b++) {
      float scale =
          binary16
              ? Float.float16ToFloat(m.data().get(HALF, b * m.format().blockBytes()))
              : Float.intBitsToFloat(m.scales().get(HALF, 2 * b) << 16);
      if (!Float.isFinite(scale)) {
        return true;
      }
    }
    return false;
  }

  /// Puts NaN into these outputs of all rows.
  void mark(F32Matrix y) {
    for (int o : outputs) {
      for (int row = 0; row < y.rows(); row++) {
        y.data().set(JAVA_FLOAT, y.offsetBytes(row, o), Float.NaN);
      }
    }
  }
}

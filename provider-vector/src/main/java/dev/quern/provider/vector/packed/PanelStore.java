package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ADD;

import dev.quern.data.F32Matrix;
import dev.quern.op.LinearSpec;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// Takes the sums of a panel of `2 * L` outputs to y.
final class PanelStore {
  private PanelStore() {}

  /// Stores a row of a panel, or adds it to what y holds. Rule L10: NaN where the row of x is not
  /// finite.
  ///
  /// @param panel the panel's number
  /// @param finite whether the row of x is
  /// @param sums `[2 * L]` at `at`
  static void store(
      LinearSpec spec,
      int panel,
      boolean finite,
      MemorySegment sums,
      long at,
      F32Matrix y,
      int row) {
    int first = panel * Panels.OUTPUTS;
    int count = Math.min(Panels.OUTPUTS, spec.outputs() - first);
    long to = y.offsetBytes(row, first);
    if (!finite) {
      fill(y.data(), to, count, Float.NaN);
    } else if (count == Panels.OUTPUTS && spec.accumulate()) {
      addWhole(sums, at, y.data(), to);
    } else if (count == Panels.OUTPUTS) {
      MemorySegment.copy(sums, at, y.data(), to, 2 * BYTES);
    } else {
      for (int i = 0; i < count; i++) {
        float sum = sums.get(JAVA_FLOAT, at + 4L * i);
        float before = spec.accumulate() ? y.data().get(JAVA_FLOAT, to + 4L * i) : 0;
        y.data().set(JAVA_FLOAT, to + 4L * i, spec.accumulate() ? before + sum : sum);
      }
    }
  }

  private static void addWhole(MemorySegment sums, long at, MemorySegment y, long to) {
    FloatVector low = FloatVector.fromMemorySegment(F, sums, at, LITTLE_ENDIAN);
    FloatVector high = FloatVector.fromMemorySegment(F, sums, at + BYTES, LITTLE_ENDIAN);
    FloatVector.fromMemorySegment(F, y, to, LITTLE_ENDIAN)
        .add(low)
        .intoMemorySegment(y, to, LITTLE_ENDIAN);
    FloatVector.fromMemorySegment(F, y, to + BYTES, LITTLE_ENDIAN)
        .add(high)
        .intoMemorySegment(y, to + BYTES, LITTLE_ENDIAN);
  }

  /// Whether the sums of a row are finite. False also where their own sum overflows.
  static boolean isFinite(MemorySegment sums, long at) {
    FloatVector low = FloatVector.fromMemorySegment(F, sums, at, LITTLE_ENDIAN);
    FloatVector high = FloatVector.fromMemorySegment(F, sums, at + BYTES, LITTLE_ENDIAN);
    return Float.isFinite(low.add(high).reduceLanes(ADD));
  }

  /// Sets floats.
  static void fill(MemorySegment data, long at, int count, float value) {
    for (int i = 0; i < count; i++) {
      data.set(JAVA_FLOAT, at + 4L * i, value);
    }
  }
}

package dev.quern.provider.vector.direct;

import static dev.quern.provider.vector.lanes.Lanes.I16;
import static dev.quern.provider.vector.lanes.Lanes.I64;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.provider.vector.lanes.Split;
import java.util.List;
import java.util.stream.IntStream;

/// The outputs whose binary16 weights hold an infinity or a NaN. The kernel for one row of x takes
/// these for large finite numbers ([Floats#dotF16]), so its results there are replaced by NaN (rule
/// L11). A sound matrix costs one look at its weights at load, 5 to 9 G weights/s, and nothing
/// later.
///
/// @param outputs rising
record DamagedHalves(int... outputs) {
  private static final DamagedHalves NONE = new DamagedHalves();

  /// Four halves at once: the exponents, one more of the least bit of each, and the bits that this
  /// carries into where an exponent was the largest.
  private static final long EXPONENTS = 0x7C00_7C00_7C00_7C00L;

  private static final long ONES = 0x0400_0400_0400_0400L;
  private static final long CARRIES = 0x8000_8000_8000_8000L;

  /// Looks through stacked matrices; those of other formats have none.
  static DamagedHalves of(List<WeightMatrix> stacked, Workers workers) {
    if (!stacked.getFirst().format().equals(BlockFormat.F16)) {
      return NONE;
    }
    boolean[] damaged = new boolean[stacked.stream().mapToInt(WeightMatrix::outputs).sum()];
    int first = 0; // output of the matrix's first row
    for (WeightMatrix m : stacked) {
      int of = first;
      Split.run(
          m.outputs(),
          workers,
          (begin, end, _) -> {
            for (int row = (int) begin; row < end; row++) {
              damaged[of + row] = isDamaged(m, row);
            }
          });
      first += m.outputs();
    }
    int[] outputs = IntStream.range(0, damaged.length).filter(o -> damaged[o]).toArray();
    return outputs.length == 0 ? NONE : new DamagedHalves(outputs);
  }

  private static boolean isDamaged(WeightMatrix m, int row) {
    long at = 2L * row * m.inputs();
    int whole = m.inputs() & -4;
    long carries = 0;
    for (int i = 0; i < whole; i += 4) {
      carries |= (m.data().get(I64, at + 2L * i) & EXPONENTS) + ONES;
    }
    for (int i = whole; i < m.inputs(); i++) {
      carries |= (m.data().get(I16, at + 2L * i) & 0x7C00) + 0x0400;
    }
    return (carries & CARRIES) != 0;
  }

  /// Puts NaN where a row of results is of these outputs.
  void mark(F32Matrix y, int row) {
    for (int o : outputs) {
      y.data().set(JAVA_FLOAT, y.offsetBytes(row, o), Float.NaN);
    }
  }
}

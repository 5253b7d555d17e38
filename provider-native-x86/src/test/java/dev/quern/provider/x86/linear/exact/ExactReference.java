package dev.quern.provider.x86.linear.exact;

import dev.quern.data.BlockCodec;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// What the products of `exact-f32` compute, in plain Java and to the last bit: weights as
/// SPEC.md's F1 has them, an FMA for each in the order of inputs, and NaN for rows that are not
/// finite. Shares no code with the packing.
final class ExactReference {
  private ExactReference() {}

  /// `x·Wᵀ`, `[rows][outputs]`.
  static float[][] multiply(F32Matrix x, WeightMatrix w) {
    float[][] y = new float[x.rows()][w.outputs()];
    BlockCodec codec = BlockCodec.of(w.format()).orElseThrow();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment weights = arena.allocate(4L * w.inputs(), 4);
      for (int o = 0; o < w.outputs(); o++) {
        codec.decodeRow(w, o, weights, 0);
        for (int r = 0; r < x.rows(); r++) {
          float sum = 0;
          float notFinite = 0;
          for (int i = 0; i < w.inputs(); i++) {
            float xi = x.get(r, i);
            sum = Math.fma(weights.getAtIndex(ValueLayout.JAVA_FLOAT, i), xi, sum);
            notFinite += xi * 0;
          }
          y[r][o] = sum + notFinite;
        }
      }
    }
    return y;
  }
}

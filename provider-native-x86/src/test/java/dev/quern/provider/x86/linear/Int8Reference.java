package dev.quern.provider.x86.linear;

import dev.quern.data.BlockCodec;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// What the products compute, in plain Java and to the last bit: rows rounded as SPEC.md's L6 says,
/// an exact sum of each block, and the F32 sum of these in the order of blocks. For formats of
/// blocks of 32 with an F16 scale first.
final class Int8Reference {
  private static final int BLOCK = 32;

  private Int8Reference() {}

  /// `x·Wᵀ`, `[rows][outputs]`.
  static float[][] multiply(F32Matrix x, WeightMatrix w) {
    float[][] y = new float[x.rows()][w.outputs()];
    float[] weights = new float[w.inputs()];
    float[] scales = new float[w.inputs() / BLOCK];
    for (int o = 0; o < w.outputs(); o++) {
      decode(w, o, weights, scales);
      for (int row = 0; row < x.rows(); row++) {
        for (int b = 0; b < scales.length; b++) {
          y[row][o] = addBlock(x, row, b, weights, scales[b], y[row][o]);
        }
      }
    }
    return y;
  }

  private static float addBlock(
      F32Matrix x, int row, int b, float[] weights, float scale, float sum) {
    float max = 0;
    for (int i = BLOCK * b; i < BLOCK * (b + 1); i++) {
      max = Math.max(max, Math.abs(x.get(row, i))); // NaN above all
    }
    float d = max / 127;
    float r = 1 / d;
    if (Float.isInfinite(r)) {
      d = 0;
      r = 0;
    }
    int integers = 0;
    for (int i = BLOCK * b; i < BLOCK * (b + 1); i++) {
      integers += (int) Math.rint(x.get(row, i) * r) * (int) weights[i];
    }
    return Math.fma(integers, scale * (Float.isFinite(max) ? d : Float.NaN), sum);
  }

  /// A row of weights without their scales: what the format's codec makes of blocks whose scale is
  /// 1.
  private static void decode(WeightMatrix w, int output, float[] weights, float[] scales) {
    try (Arena arena = Arena.ofConfined()) {
      long bytes = w.format().rowBytes(w.inputs());
      MemorySegment row = arena.allocate(bytes);
      row.copyFrom(w.data().asSlice(output * bytes, bytes));
      for (int b = 0; b < scales.length; b++) {
        long at = (long) b * w.format().blockBytes();
        scales[b] = Float.float16ToFloat(row.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
        row.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16(1));
      }
      MemorySegment decoded = arena.allocate(ValueLayout.JAVA_FLOAT, w.inputs());
      BlockCodec.of(w.format())
          .orElseThrow()
          .decodeRow(new WeightMatrix(w.format(), row, 1, w.inputs()), 0, decoded, 0);
      MemorySegment.copy(decoded, ValueLayout.JAVA_FLOAT, 0, weights, 0, weights.length);
    }
  }
}

package dev.quern.provider.x86.linear.bf16;

import dev.quern.data.Bf16;
import dev.quern.data.BlockCodec;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// What the products of `bf16` compute, in plain Java and to the last bit: x and weights rounded to
/// BF16 (SPEC.md, L13), and products added in the order of the instruction. Shares no code with the
/// packing, nor with the interpreter.
public final class Bf16Reference {
  private Bf16Reference() {}

  /// `x·Wᵀ`, `[rows][outputs]`.
  ///
  /// @param tiles as `tdpbf16ps` adds, not as `vdpbf16ps` does
  public static float[][] multiply(F32Matrix x, WeightMatrix w, boolean tiles) {
    float[][] y = new float[x.rows()][w.outputs()];
    BlockCodec codec = BlockCodec.of(w.format()).orElseThrow();
    int padded = Math.ceilDiv(w.inputs(), 32) * 32;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment decoded = arena.allocate(4L * w.inputs(), 4);
      for (int o = 0; o < w.outputs(); o++) {
        codec.decodeRow(w, o, decoded, 0);
        float[] weights = new float[padded];
        for (int i = 0; i < w.inputs(); i++) {
          weights[i] = rounded(decoded.getAtIndex(ValueLayout.JAVA_FLOAT, i));
        }
        for (int r = 0; r < x.rows(); r++) {
          float[] row = new float[padded];
          float notFinite = 0;
          for (int i = 0; i < w.inputs(); i++) {
            row[i] = rounded(x.get(r, i));
            notFinite += x.get(r, i) * 0;
          }
          y[r][o] = (tiles ? tiles(row, weights) : pairs(row, weights)) + notFinite;
        }
      }
    }
    return y;
  }

  private static float pairs(float[] x, float[] w) {
    float sum = 0;
    for (int i = 0; i < x.length; i += 2) {
      sum = flushed(Math.fma(x[i + 1], w[i + 1], sum));
      sum = flushed(Math.fma(x[i], w[i], sum));
    }
    return sum;
  }

  private static float tiles(float[] x, float[] w) {
    float sum = 0;
    for (int from = 0; from < x.length; from += 32) {
      float even = 0;
      float odd = 0;
      for (int i = from; i < from + 32; i += 2) {
        even = flushed(Math.fma(x[i], w[i], even));
        odd = flushed(Math.fma(x[i + 1], w[i + 1], odd));
      }
      sum = flushed(sum + flushed(even + odd));
    }
    return sum;
  }

  /// A subnormal is zero before it is rounded, and after.
  private static float rounded(float value) {
    return flushed(Bf16.toFloat(Bf16.fromFloat(flushed(value))));
  }

  private static float flushed(float value) {
    return Math.abs(value) < Float.MIN_NORMAL ? 0 : value;
  }
}

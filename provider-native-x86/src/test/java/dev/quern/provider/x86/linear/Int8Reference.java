package dev.quern.provider.x86.linear;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.conformance.oracle.BlockLayout;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// What the products compute, in plain Java and to the last bit: rows rounded as SPEC.md's L6 says,
/// an exact sum of each group of weights that has a scale, and the F32 sum of these in their order,
/// each block's minimum last. Shares no code with the packing.
final class Int8Reference {
  private static final int BLOCK = 32;

  private final WeightMatrix w;
  private final ByteBuffer bytes;
  private final BlockLayout integers;

  private Int8Reference(WeightMatrix w) {
    this.w = w;
    bytes = ByteBuffer.wrap(w.data().toArray(JAVA_BYTE)).order(ByteOrder.LITTLE_ENDIAN);
    integers = BlockLayout.of(w.format().id());
  }

  /// `x·Wᵀ`, `[rows][outputs]`.
  static float[][] multiply(F32Matrix x, WeightMatrix w) {
    Int8Reference reference = new Int8Reference(w);
    float[][] y = new float[x.rows()][w.outputs()];
    for (int row = 0; row < x.rows(); row++) {
      for (int o = 0; o < w.outputs(); o++) {
        for (int i = 0; i < w.inputs(); i += BLOCK) {
          y[row][o] = reference.addBlock(x, row, o, i, y[row][o]);
        }
      }
    }
    return y;
  }

  /// Adds the 32 inputs from `first` on.
  private float addBlock(F32Matrix x, int row, int o, int first, float before) {
    float max = 0;
    for (int i = first; i < first + BLOCK; i++) {
      max = Math.max(max, Math.abs(x.get(row, i))); // NaN above all
    }
    float d = max / 127;
    float r = 1 / d;
    if (Float.isInfinite(r)) {
      d = 0;
      r = 0;
    }
    d = Float.isFinite(max) ? d : Float.NaN;
    int elements = w.format().blockElements();
    int block = (int) (o * w.format().rowBytes(w.inputs()));
    block += first / elements * w.format().blockBytes();
    int e = first % elements;
    int group = w.format().id().equals("Q6_K") ? BLOCK / 2 : BLOCK;
    float sum = before;
    int all = 0;
    for (int from = 0; from < BLOCK; from += group) {
      int products = 0;
      for (int i = from; i < from + group; i++) {
        int q = (int) Math.rint(x.get(row, first + i) * r);
        products += q * integers.integer(bytes.array(), block, e + i);
        all += q;
      }
      sum = Math.fma(products, scale(block, e + from) * d, sum);
    }
    return hasMinimum() ? Math.fma(minimum(block, e), d * all, sum) : sum;
  }

  private boolean hasMinimum() {
    return switch (w.format().id()) {
      case "Q4_1", "Q5_1", "Q4_K", "Q5_K" -> true;
      default -> false;
    };
  }

  /// The scale of element e.
  private float scale(int block, int e) {
    return switch (w.format().id()) {
      case "Q4_K", "Q5_K" -> half(block) * sixBits(block, e / 32, false);
      case "Q6_K" -> half(block + 208) * bytes.get(block + 192 + e / 16);
      default -> half(block);
    };
  }

  private float minimum(int block, int e) {
    return switch (w.format().id()) {
      case "Q4_K", "Q5_K" -> -(half(block + 2) * sixBits(block, e / 32, true));
      default -> half(block + 2);
    };
  }

  private float half(int at) {
    return Float.float16ToFloat(bytes.getShort(at));
  }

  /// `sc[j]` or `mn[j]` of SPEC.md, section F.
  private int sixBits(int block, int j, boolean minimum) {
    int s = block + 4;
    if (j < 4) {
      return bytes.get(s + j + (minimum ? 4 : 0)) & 63;
    }
    int low = bytes.get(s + j + 4) >> (minimum ? 4 : 0) & 15;
    return low | (bytes.get(s + j - (minimum ? 0 : 4)) >> 6 & 3) << 4;
  }
}

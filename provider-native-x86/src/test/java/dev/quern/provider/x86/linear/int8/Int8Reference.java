package dev.quern.provider.x86.linear.int8;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.conformance.linear.BlockLayout;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// What the products compute, in plain Java and to the last bit: rows rounded as SPEC.md's L6 and
/// L7 say, an exact sum of each group of weights that has a scale, or of 32, and the F32 sum of
/// these in their order; each block's minimum, or the row's zero point, last. Shares no code with
/// the packing.
public final class Int8Reference {
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
  public static float[][] multiply(F32Matrix x, WeightMatrix w) {
    Int8Reference reference = new Int8Reference(w);
    float[][] y = new float[x.rows()][w.outputs()];
    for (int row = 0; row < x.rows(); row++) {
      for (int o = 0; o < w.outputs(); o++) {
        if (w.format().id().startsWith("INT")) {
          y[row][o] = reference.wholeRow(x, row, o);
        } else {
          for (int i = 0; i < w.inputs(); i += BLOCK) {
            y[row][o] = reference.addBlock(x, row, o, i, y[row][o]);
          }
        }
      }
    }
    return y;
  }

  /// With a zero point (SPEC.md, L7), for which L8 leaves a choice.
  private float wholeRow(F32Matrix x, int row, int o) {
    float lo = 0;
    float hi = 0;
    float nan = 0;
    for (int i = 0; i < w.inputs(); i++) {
      lo = Math.min(lo, x.get(row, i));
      hi = Math.max(hi, x.get(row, i));
      nan += x.get(row, i) * 0;
    }
    float up = 255 / (hi - lo);
    float step = (up == 0 ? 0 : 1 / up) + nan;
    float z = (int) Math.rint(-128 - lo * up);
    float sum = 0;
    double weights = 0;
    int elements = w.format().blockElements();
    for (int first = 0; first < w.inputs(); first += BLOCK) {
      int products = 0;
      int all = 0;
      long block = 0;
      for (int i = first; i < Math.min(w.inputs(), first + BLOCK); i++) {
        block = (long) o * (w.inputs() / elements) + i / elements;
        int at = (int) block * w.format().blockBytes();
        int weight = integers.integer(bytes.array(), at, i % elements);
        products += (int) Math.clamp(Math.rint(x.get(row, i) * up) + z, -128, 127) * weight;
        all += weight;
      }
      float scale = elements == 1 ? 1 : bf16(block);
      sum = Math.fma(products, scale, sum);
      weights += (double) scale * all;
    }
    float y = Math.fma(-z, (float) weights, sum) * step;
    return elements == 1 ? y * w.scales().get(JAVA_FLOAT_UNALIGNED, 4L * o) : y;
  }

  private float bf16(long block) {
    return Float.intBitsToFloat(w.scales().get(JAVA_SHORT_UNALIGNED, 2 * block) << 16);
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

package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;

/// `int8-sym-32` and `int8-sym-256` (rule L6). With x[i] = d * q[i], and w[i] the weight's integer:
///
/// ```
/// y = Σ_groups d * (scale * Σ_i q[i] * w[i] + offset * Σ_i q[i])
/// ```
///
/// The inner sums are exact; what is around them is double precision, in the order of the groups of
/// weights, and rounded once.
///
/// ```
/// prepared row of x   q: i8[inputs] | d: f32[inputs / activation group]
/// loaded row of W     IntegerFormat.Layout
/// ```
final class Int8Sym implements LinearArithmetic {
  private final IntegerFormat format;
  private final IntegerFormat.Layout layout;

  /// Activations that share a step: 32 or 256, a multiple of the weights' group.
  private final int group;

  Int8Sym(IntegerFormat format, int inputs) {
    this.format = format;
    this.layout = format.layout(inputs);
    this.group = format.activations().groupSize();
  }

  @Override
  public long activationBytes() {
    return steps() + (long) layout.inputs() / group * Float.BYTES;
  }

  /// Offset of d in a prepared row.
  private long steps() {
    return Scratch.align(layout.inputs());
  }

  @Override
  public long weightBytes() {
    return layout.bytes();
  }

  @Override
  public void prepare(F32Matrix x, int row, MemorySegment scratch, long to) {
    MemorySegment data = x.data();
    for (int g = 0; g < layout.inputs() / group; g++) {
      long at = x.offsetBytes(row, g * group);
      float max = 0; // NaN if there is one: Math.max keeps it
      for (int i = 0; i < group; i++) {
        max = Math.max(max, Math.abs(data.get(JAVA_FLOAT, at + 4L * i)));
      }
      float d = max / 127;
      float r = 1 / d;
      if (d == 0 || Float.isInfinite(r)) {
        d = 0;
        r = 0;
      }
      for (int i = 0; i < group; i++) {
        int q = Int8.round(data.get(JAVA_FLOAT, at + 4L * i) * r);
        scratch.set(JAVA_BYTE, to + (long) g * group + i, (byte) q);
      }
      // A step of NaN makes every output of the row NaN (rule L10).
      scratch.set(JAVA_FLOAT, to + steps() + 4L * g, Float.isFinite(max) ? d : Float.NaN);
    }
  }

  @Override
  public void load(WeightMatrix w, int row, MemorySegment scratch, long to) {
    format.unpacker().unpack(w, row, scratch, to, to + layout.scales(), to + layout.offsets());
  }

  @Override
  public float dot(F32Matrix x, int row, MemorySegment scratch, long activations, long weights) {
    int n = layout.group();
    double y = 0;
    for (int g = 0; g < layout.groups(); g++) {
      long q = activations + (long) g * n;
      long w = weights + (long) g * n;
      int products = 0;
      int sum = 0;
      for (int i = 0; i < n; i++) {
        int qi = scratch.get(JAVA_BYTE, q + i);
        products += qi * scratch.get(JAVA_BYTE, w + i);
        sum += qi;
      }
      double d = scratch.get(JAVA_FLOAT, activations + steps() + 4L * (g * n / group));
      double scale = scratch.get(JAVA_FLOAT, weights + layout.scales() + 4L * g);
      double offset = scratch.get(JAVA_FLOAT, weights + layout.offsets() + 4L * g);
      y += d * (scale * products + offset * sum);
    }
    return (float) y;
  }
}

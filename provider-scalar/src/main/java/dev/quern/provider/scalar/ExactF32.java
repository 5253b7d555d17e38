package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.BlockCodec;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;

/// `exact-f32` (rule L5): decoded weights times activations as they are, all in F32.
///
/// ```
/// prepared row of x   poison:f32     NaN if the row has a non-finite element, else 0
/// loaded row of W     f32[inputs]
/// ```
record ExactF32(BlockCodec codec, int inputs) implements LinearArithmetic {
  @Override
  public long activationBytes() {
    return Float.BYTES;
  }

  @Override
  public long weightBytes() {
    return (long) inputs * Float.BYTES;
  }

  /// Looks for infinities, which the sum alone would not turn into NaN.
  @Override
  public void prepare(F32Matrix x, int row, MemorySegment scratch, long to) {
    MemorySegment data = x.data();
    long at = x.offsetBytes(row, 0);
    float poison = 0;
    for (int i = 0; i < inputs; i++) {
      poison += data.get(JAVA_FLOAT, at + 4L * i) * 0f; // 0 times a non-finite number is NaN
    }
    scratch.set(JAVA_FLOAT, to, poison);
  }

  @Override
  public void load(WeightMatrix w, int row, MemorySegment scratch, long to) {
    codec.decodeRow(w, row, scratch, to);
  }

  /// Four sums at a time: one alone would wait for each addition to end.
  @Override
  public float dot(F32Matrix x, int row, MemorySegment scratch, long activations, long weights) {
    MemorySegment data = x.data();
    long at = x.offsetBytes(row, 0);
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
    int i = 0;
    for (; i <= inputs - 4; i += 4) {
      long xi = at + 4L * i;
      long wi = weights + 4L * i;
      sum0 += data.get(JAVA_FLOAT, xi) * scratch.get(JAVA_FLOAT, wi);
      sum1 += data.get(JAVA_FLOAT, xi + 4) * scratch.get(JAVA_FLOAT, wi + 4);
      sum2 += data.get(JAVA_FLOAT, xi + 8) * scratch.get(JAVA_FLOAT, wi + 8);
      sum3 += data.get(JAVA_FLOAT, xi + 12) * scratch.get(JAVA_FLOAT, wi + 12);
    }
    for (; i < inputs; i++) {
      sum0 += data.get(JAVA_FLOAT, at + 4L * i) * scratch.get(JAVA_FLOAT, weights + 4L * i);
    }
    return (sum0 + sum1) + (sum2 + sum3) + scratch.get(JAVA_FLOAT, activations);
  }
}

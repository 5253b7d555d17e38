package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.Bf16;
import dev.quern.data.BlockCodec;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;

/// `bf16` (rule L13): decoded weights and activations rounded to BF16; their products, which are
/// exact, summed in F32.
///
/// ```
/// prepared row of x   f32[inputs], BF16 numbers | poison: f32, NaN if the row is not finite, else 0
/// loaded row of W     f32[inputs], BF16 numbers
/// ```
record Bf16Rounded(BlockCodec codec, int inputs) implements LinearArithmetic {
  @Override
  public long activationBytes() {
    return poison() + Float.BYTES;
  }

  /// Offset of a prepared row's last number.
  private long poison() {
    return (long) inputs * Float.BYTES;
  }

  @Override
  public long weightBytes() {
    return (long) inputs * Float.BYTES;
  }

  @Override
  public void prepare(F32Matrix x, int row, MemorySegment scratch, long to) {
    MemorySegment data = x.data();
    long at = x.offsetBytes(row, 0);
    float poison = 0;
    for (int i = 0; i < inputs; i++) {
      float xi = data.get(JAVA_FLOAT, at + 4L * i);
      poison += xi * 0f; // 0 times a non-finite number is NaN
      scratch.set(JAVA_FLOAT, to + 4L * i, rounded(xi));
    }
    scratch.set(JAVA_FLOAT, to + poison(), poison);
  }

  @Override
  public void load(WeightMatrix w, int row, MemorySegment scratch, long to) {
    codec.decodeRow(w, row, scratch, to);
    for (int i = 0; i < inputs; i++) {
      scratch.set(JAVA_FLOAT, to + 4L * i, rounded(scratch.get(JAVA_FLOAT, to + 4L * i)));
    }
  }

  private static float rounded(float value) {
    return Bf16.toFloat(Bf16.fromFloat(value));
  }

  @Override
  public float dot(F32Matrix x, int row, MemorySegment scratch, long activations, long weights) {
    float even = 0;
    float odd = 0;
    int i = 0;
    for (; i <= inputs - 2; i += 2) {
      long at = 4L * i;
      even += scratch.get(JAVA_FLOAT, activations + at) * scratch.get(JAVA_FLOAT, weights + at);
      odd +=
          scratch.get(JAVA_FLOAT, activations + at + 4) * scratch.get(JAVA_FLOAT, weights + at + 4);
    }
    if (i < inputs) {
      long at = 4L * i;
      even += scratch.get(JAVA_FLOAT, activations + at) * scratch.get(JAVA_FLOAT, weights + at);
    }
    return even + odd + scratch.get(JAVA_FLOAT, activations + poison());
  }
}

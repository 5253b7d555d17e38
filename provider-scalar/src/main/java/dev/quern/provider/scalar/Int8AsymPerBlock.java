package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;

/// `int8-asym-row` with a scale per block of weights (INT4_Bg), as KleidiAI computes `qai8dxp x
/// qsi4c32p`, operation by operation: its NEON and SME kernels give these very bits.
///
/// ```
/// rowSum = Σ_chunks scale * Σ_i w[i]        chunks of 32, each sum an F32 addition
/// acc    = fma(Σ_i q[i] * w[i], scale, acc) block after block
/// acc    = fma(rowSum, -z, acc)
/// y      = acc * s + 0
///
/// prepared row of x   Int8Asym
/// loaded row of W     IntegerFormat.Layout | rowSum: f32
/// ```
final class Int8AsymPerBlock implements LinearArithmetic {
  private static final int CHUNK = 32;

  private final IntegerFormat format;
  private final IntegerFormat.Layout layout;
  private final Int8Asym activations;

  Int8AsymPerBlock(IntegerFormat format, int inputs) {
    this.format = format;
    this.layout = format.layout(inputs);
    this.activations = new Int8Asym(inputs);
  }

  @Override
  public long activationBytes() {
    return activations.bytes();
  }

  @Override
  public long weightBytes() {
    return layout.bytes() + Float.BYTES;
  }

  @Override
  public void prepare(F32Matrix x, int row, MemorySegment scratch, long to) {
    activations.prepare(x, row, scratch, to);
  }

  @Override
  public void load(WeightMatrix w, int row, MemorySegment scratch, long to) {
    format.unpacker().unpack(w, row, scratch, to, to + layout.scales(), to + layout.offsets());
    float rowSum = 0;
    for (int c = 0; c < layout.inputs(); c += CHUNK) {
      int sum = 0;
      for (int i = 0; i < CHUNK; i++) {
        sum += scratch.get(JAVA_BYTE, to + c + i);
      }
      float scale = scratch.get(JAVA_FLOAT, to + layout.scales() + 4L * (c / layout.group()));
      rowSum += sum * scale;
    }
    scratch.set(JAVA_FLOAT, to + layout.bytes(), rowSum);
  }

  @Override
  public float dot(F32Matrix x, int row, MemorySegment scratch, long quantized, long weights) {
    int n = layout.group();
    float acc = 0;
    for (int g = 0; g < layout.groups(); g++) {
      long q = quantized + (long) g * n;
      long w = weights + (long) g * n;
      int products = 0;
      for (int i = 0; i < n; i++) {
        products += scratch.get(JAVA_BYTE, q + i) * scratch.get(JAVA_BYTE, w + i);
      }
      acc = Math.fma(products, scratch.get(JAVA_FLOAT, weights + layout.scales() + 4L * g), acc);
    }
    float s = scratch.get(JAVA_FLOAT, quantized + activations.step());
    int z = scratch.get(JAVA_INT, quantized + activations.zeroPoint());
    acc = Math.fma(scratch.get(JAVA_FLOAT, weights + layout.bytes()), -z, acc);
    return acc * s + 0f; // KleidiAI adds a bias of 0, which turns -0 into 0
  }
}

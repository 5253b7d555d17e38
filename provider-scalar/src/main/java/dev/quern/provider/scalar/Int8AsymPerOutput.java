package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;

/// `int8-asym-row` with one scale per output (INT8_C), as KleidiAI computes `qai8dxp x qsi8cxp`,
/// operation by operation: its NEON and SME kernels give these very bits while their int32 sum does
/// not overflow, which takes more than 65,000 inputs.
///
/// ```
/// y = (float) Σ_i (q[i] - z) * w[i] * (scale * s) + 0
///
/// prepared row of x   Int8Asym
/// loaded row of W     IntegerFormat.Layout
/// ```
final class Int8AsymPerOutput implements LinearArithmetic {
  private final IntegerFormat format;
  private final IntegerFormat.Layout layout;
  private final Int8Asym activations;

  Int8AsymPerOutput(IntegerFormat format, int inputs) {
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
    return layout.bytes();
  }

  @Override
  public void prepare(F32Matrix x, int row, MemorySegment scratch, long to) {
    activations.prepare(x, row, scratch, to);
  }

  @Override
  public void load(WeightMatrix w, int row, MemorySegment scratch, long to) {
    format.unpacker().unpack(w, row, scratch, to, to + layout.scales(), to + layout.offsets());
  }

  @Override
  public float dot(F32Matrix x, int row, MemorySegment scratch, long quantized, long weights) {
    float s = scratch.get(JAVA_FLOAT, quantized + activations.step());
    int z = scratch.get(JAVA_INT, quantized + activations.zeroPoint());
    long sum = 0;
    for (int i = 0; i < layout.inputs(); i++) {
      int q = scratch.get(JAVA_BYTE, quantized + i) - z;
      sum += q * scratch.get(JAVA_BYTE, weights + i);
    }
    float scale = scratch.get(JAVA_FLOAT, weights + layout.scales());
    return (float) sum * (scale * s) + 0f; // KleidiAI adds a bias of 0, which turns -0 into 0
  }
}

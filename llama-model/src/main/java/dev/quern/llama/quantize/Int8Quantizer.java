package dev.quern.llama.quantize;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.llama.bytes.LittleEndian;
import java.lang.foreign.MemorySegment;

/// INT8_C: one F32 scale for a row. The largest weight by magnitude becomes 127 or -127, and -128
/// never appears; halves round away from zero.
final class Int8Quantizer {
  private Int8Quantizer() {}

  static void quantize(
      float[] x, MemorySegment data, long at, MemorySegment scales, long scalesAt) {
    float scale = Math.abs(GgmlQuantizers.extreme(x, 0, x.length)) / 127;
    for (int i = 0; i < x.length; i++) {
      // Divided, not multiplied with the inverse, which is infinite for subnormal scales.
      int q = scale == 0 ? 0 : GgmlQuantizers.roundHalfAway(x[i] / scale);
      data.set(JAVA_BYTE, at + i, (byte) Math.clamp(q, -127, 127));
    }
    LittleEndian.putF32(scales, scalesAt, scale);
  }
}

package dev.quern.llama.quantize;

import dev.quern.data.Bf16;
import java.lang.foreign.MemorySegment;

/// F32, F16 and BF16: each weight by itself, to the nearest, ties to even.
final class FloatQuantizers {
  private FloatQuantizers() {}

  static void f32(float[] x, MemorySegment data, long at, MemorySegment scales, long scalesAt) {
    for (int i = 0; i < x.length; i++) {
      LittleEndian.f32(data, at + 4L * i, x[i]);
    }
  }

  static void f16(float[] x, MemorySegment data, long at, MemorySegment scales, long scalesAt) {
    for (int i = 0; i < x.length; i++) {
      LittleEndian.f16(data, at + 2L * i, x[i]);
    }
  }

  static void bf16(float[] x, MemorySegment data, long at, MemorySegment scales, long scalesAt) {
    for (int i = 0; i < x.length; i++) {
      short bits = Bf16.fromFloat(x[i]);
      if (Float.isInfinite(Bf16.toFloat(bits))) {
        throw new IllegalArgumentException(x[i] + " does not fit BF16, expected less");
      }
      LittleEndian.i16(data, at + 2L * i, bits);
    }
  }
}

package dev.quern.provider.scalar;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.Bf16;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Reads scalars of weight planes, which are little-endian and not aligned.
final class Weights {
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private Weights() {}

  static int u8(MemorySegment data, long offset) {
    return data.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
  }

  static int i32(MemorySegment data, long offset) {
    return data.get(I32, offset);
  }

  static float f16(MemorySegment data, long offset) {
    return Float.float16ToFloat(data.get(I16, offset));
  }

  static float bf16(MemorySegment data, long offset) {
    return Bf16.toFloat(data.get(I16, offset));
  }

  static float f32(MemorySegment data, long offset) {
    return data.get(F32, offset);
  }
}

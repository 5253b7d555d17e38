package dev.quern.llama.bytes;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.quern.data.Bf16;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Reads and writes the scalars of model files: little-endian on every host, at any alignment.
/// Offsets count bytes.
public final class LittleEndian {
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private LittleEndian() {}

  public static short i16(MemorySegment data, long offset) {
    return data.get(I16, offset);
  }

  public static int i32(MemorySegment data, long offset) {
    return data.get(I32, offset);
  }

  public static long i64(MemorySegment data, long offset) {
    return data.get(I64, offset);
  }

  /// Copies F32 numbers from the begin of a segment.
  public static void f32s(MemorySegment data, float[] to, int count) {
    MemorySegment.copy(data, F32, 0, to, 0, count);
  }

  public static float f32(MemorySegment data, long offset) {
    return data.get(F32, offset);
  }

  public static float f16(MemorySegment data, long offset) {
    return Float.float16ToFloat(data.get(I16, offset));
  }

  public static float bf16(MemorySegment data, long offset) {
    return Bf16.toFloat(data.get(I16, offset));
  }

  public static void putF32(MemorySegment data, long offset, float value) {
    data.set(F32, offset, value);
  }

  /// Writes 16 bits: an integer, or those of an F16 or BF16.
  public static void putI16(MemorySegment data, long offset, short bits) {
    data.set(I16, offset, bits);
  }
}

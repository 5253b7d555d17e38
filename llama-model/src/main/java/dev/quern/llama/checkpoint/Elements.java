package dev.quern.llama.checkpoint;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.llama.bytes.LittleEndian;
import java.lang.foreign.MemorySegment;

/// Single elements of stored arrays, as floats. For small arrays: norms and scales.
final class Elements {
  private Elements() {}

  /// Whether [#get] reads this type.
  static boolean isFloat(DType type) {
    return type == DType.F32 || type == DType.F16 || type == DType.BF16;
  }

  /// Element `index` of an array of F32, F16 or BF16.
  static float get(MemorySegment data, DType type, long index) {
    return switch (type) {
      case F32 -> LittleEndian.f32(data, index * Float.BYTES);
      case F16 -> LittleEndian.f16(data, index * Short.BYTES);
      case BF16 -> LittleEndian.bf16(data, index * Short.BYTES);
      default -> throw new IllegalArgumentException(type + ", expected F32, F16 or BF16");
    };
  }

  /// Whether all elements are zero, of either sign.
  static boolean allZero(MemorySegment data, DType type) {
    if (isFloat(type)) {
      for (long i = 0; i < data.byteSize() / type.bytes(); i++) {
        if (get(data, type, i) != 0) {
          return false;
        }
      }
      return true;
    }
    for (long i = 0; i < data.byteSize(); i++) {
      if (data.get(JAVA_BYTE, i) != 0) {
        return false;
      }
    }
    return true;
  }
}

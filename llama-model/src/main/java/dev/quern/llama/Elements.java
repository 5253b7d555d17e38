package dev.quern.llama;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.quern.data.Bf16;
import dev.quern.llama.checkpoint.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Single elements of stored arrays, as floats. For small arrays: norms and scales.
final class Elements {
  private static final ValueLayout.OfFloat FLOAT =
      JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Elements() {}

  /// Whether [#get] reads this type.
  static boolean isFloat(DType type) {
    return type == DType.F32 || type == DType.F16 || type == DType.BF16;
  }

  /// Element `index` of an array of F32, F16 or BF16.
  static float get(MemorySegment data, DType type, long index) {
    return switch (type) {
      case F32 -> data.getAtIndex(FLOAT, index);
      case F16 -> Float.float16ToFloat(data.getAtIndex(SHORT, index));
      case BF16 -> Bf16.toFloat(data.getAtIndex(SHORT, index));
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

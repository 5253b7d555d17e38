package dev.quern.llama.checkpoint;

import dev.quern.llama.text.Printable;
import java.util.List;
import java.util.Locale;

/// An array in a file: dense, row-major, little-endian.
///
/// @param name as the file has it
/// @param shape outermost dimension first (GGUF has it the other way round); empty for a scalar;
///   each at least 1
/// @param file index into [TensorStore#files()]
/// @param offset of the data, from the start of that file
/// @param byteSize of the data: the product of the shape, times the type's bytes
/// @since 0.1
/// @stability api
public record StoredTensor(
    String name, DType type, List<Long> shape, int file, long offset, long byteSize) {
  static final int MAX_DIMS = 8;

  public StoredTensor {
    shape = List.copyOf(shape);
  }

  /// Bytes of a dense array.
  ///
  /// @throws ArithmeticException from 2^63 on
  static long byteSize(DType type, List<Long> shape) {
    long bytes = type.bytes();
    for (long dim : shape) {
      bytes = Math.multiplyExact(bytes, dim);
    }
    return bytes;
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%s %s%s", Printable.quoted(name), type, shape);
  }
}

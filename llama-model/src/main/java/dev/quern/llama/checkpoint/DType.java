package dev.quern.llama.checkpoint;

import dev.quern.data.BlockFormat;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Element types, by their names in safetensors (`safetensors/src/tensor.rs`). Types narrower than
/// a byte are not among them.
///
/// @since 0.1
/// @stability api
public enum DType {
  BOOL(1),
  U8(1),
  I8(1),
  F8_E5M2(1),
  F8_E4M3(1),
  I16(2),
  U16(2),
  F16(2),
  BF16(2),
  I32(4),
  U32(4),
  F32(4),
  I64(8),
  U64(8),
  F64(8);

  private static final List<BlockFormat> FORMATS =
      List.of(BlockFormat.F32, BlockFormat.F16, BlockFormat.BF16);

  private final int bytes;

  DType(int bytes) {
    this.bytes = bytes;
  }

  /// Bytes of an element.
  public int bytes() {
    return bytes;
  }

  /// The block format that kernels know weights of this type by; empty where there is none.
  public Optional<BlockFormat> format() {
    return FORMATS.stream().filter(f -> f.id().equals(name())).findFirst();
  }

  static Optional<DType> byName(String name) {
    return Arrays.stream(values()).filter(t -> t.name().equals(name)).findFirst();
  }
}

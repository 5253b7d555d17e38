package dev.quern.llama.gguf;

import java.util.List;
import java.util.Locale;

/// The types of metadata values, in the order of their ids in the file (`gguf_metadata_value_type`
/// of the GGUF specification).
///
/// @since 0.1
/// @stability api
public enum GgufType {
  UINT8(1),
  INT8(1),
  UINT16(2),
  INT16(2),
  UINT32(4),
  INT32(4),
  FLOAT32(4),
  BOOL(1),
  STRING(8),
  ARRAY(4 + 8),
  UINT64(8),
  INT64(8),
  FLOAT64(8);

  private static final List<GgufType> BY_ID = List.of(values());

  private final int minBytes;

  GgufType(int minBytes) {
    this.minBytes = minBytes;
  }

  /// The id in the file.
  public int id() {
    return ordinal();
  }

  /// Bytes of a value of fixed size; of a string the bytes of its length; of an array those of its
  /// element type and count.
  int minBytes() {
    return minBytes;
  }

  boolean isInteger() {
    return switch (this) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
      case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> false;
    };
  }

  boolean isFloat() {
    return this == FLOAT32 || this == FLOAT64;
  }

  /// Whether this is an integer type that can hold `value`, which UINT64 takes as unsigned.
  boolean fits(long value) {
    return switch (this) {
      case UINT8 -> value == (value & 0xff);
      case INT8 -> value == (byte) value;
      case UINT16 -> value == (value & 0xffff);
      case INT16 -> value == (short) value;
      case UINT32 -> value == (value & 0xffff_ffffL);
      case INT32 -> value == (int) value;
      case UINT64, INT64 -> true;
      case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> false;
    };
  }

  /// How many types there are: valid ids are below it.
  static int count() {
    return BY_ID.size();
  }

  /// The type of a valid id.
  static GgufType of(int id) {
    return BY_ID.get(id);
  }

  /// The name as reports show it, for example `uint32`.
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}

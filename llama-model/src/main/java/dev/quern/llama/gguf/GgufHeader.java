package dev.quern.llama.gguf;

import dev.quern.llama.text.Printable;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// What precedes the tensor data of one file. All integers are little-endian, nothing is padded:
///
/// ```
/// header     u32 magic "GGUF"   u32 version   u64 tensors   u64 metadata entries
/// metadata   string key   u32 type   value                                  (each entry)
/// tensors    string name   u32 n   u64 dims[n]   u32 ggml type   u64 offset (each tensor)
/// padding    up to a multiple of the alignment: there the data begins, from where offsets count
///
/// string     u64 bytes, UTF-8
/// array      u32 element type   u64 count   elements
/// ```
///
/// @param version 2 or 3 (they differ only in that 3 allows big-endian files)
/// @param tensors in the order of the table, within the file and free of overlaps
record GgufHeader(int version, GgufMetadata metadata, List<GgufTensor> tensors) {
  static final int MAGIC = 0x46554747; // "GGUF", read as little-endian
  static final int VERSION = 3;

  /// The specification's limit of the length of a key.
  static final int MAX_KEY_BYTES = 65535;

  static final String ALIGNMENT_KEY = "general.alignment";
  static final int DEFAULT_ALIGNMENT = 32;

  /// The size of a huge page: no reader gains anything from more.
  static final int MAX_ALIGNMENT = 1 << 21;

  /// Arrays of arrays may nest so deep. No known file nests at all, the specification sets no
  /// limit.
  static final int MAX_ARRAY_DEPTH = 4;

  // The least that an entry can take: a key or name of one byte, a value of one byte or dimension.
  private static final int MIN_METADATA_BYTES = 8 + 1 + 4 + 1;
  private static final int MIN_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8;

  /// Reads and checks what precedes the tensor data, and where the tensors lie.
  ///
  /// @param file what messages call the file
  /// @param bytes the whole file
  /// @param shard which file of the model this is
  static GgufHeader parse(String file, MemorySegment bytes, int shard) {
    GgufCursor cursor = new GgufCursor(file, bytes, 0);
    int version = version(cursor);
    // Checked against the file as a whole: what is listed must fit what remains.
    long tensors = cursor.count(MIN_TENSOR_BYTES, "tensor count");
    long entries = cursor.count(MIN_METADATA_BYTES, "metadata count");
    GgufMetadata metadata = metadata(file, bytes, cursor, entries);
    return new GgufHeader(version, metadata, tensors(cursor, tensors, alignment(metadata), shard));
  }

  private static int version(GgufCursor cursor) {
    int magic = cursor.i32("magic");
    if (magic != MAGIC) {
      throw cursor.fail(
          0,
          String.format(Locale.ROOT, "magic 0x%08x", Integer.reverseBytes(magic)),
          "0x47475546 ('GGUF'): not a GGUF file");
    }
    int version = cursor.i32("version");
    if (version == 2 || version == VERSION) {
      return version;
    }
    String actual = "version " + Integer.toUnsignedString(version);
    int swapped = Integer.reverseBytes(version);
    if (swapped >= 1 && swapped <= VERSION) {
      throw cursor.fail(
          4,
          "big-endian version " + swapped,
          "a little-endian file: convert it with gguf_convert_endian.py of llama.cpp");
    }
    if (version == 1) {
      throw cursor.fail(4, actual, "2 or 3: convert the model anew with a current converter");
    }
    throw cursor.fail(4, actual, "2 or 3: the file is damaged, or newer than this reader");
  }

  private static GgufMetadata metadata(
      String file, MemorySegment bytes, GgufCursor cursor, long entries) {
    LinkedHashMap<String, GgufMetadata.Value> values = new LinkedHashMap<>();
    for (long i = 0; i < entries; i++) {
      long start = cursor.enter("metadata entry", i).offset();
      String key = cursor.name(MAX_KEY_BYTES, "key");
      GgufMetadata.Value value = value(cursor.enter(GgufMetadata.PLACE, key));
      if (values.putIfAbsent(key, value) != null) {
        throw cursor.fail(start, "the key is there twice", "each key once");
      }
    }
    return new GgufMetadata(file, bytes.asSlice(0, cursor.offset()), values);
  }

  private static GgufMetadata.Value value(GgufCursor cursor) {
    GgufType type = GgufType.of(cursor.id(GgufType.count(), "value type"));
    if (type != GgufType.ARRAY) {
      long start = cursor.offset();
      checkScalar(cursor, type);
      return new GgufMetadata.Value(type, type, 1, start, cursor.offset());
    }
    GgufType elementType = GgufType.of(cursor.id(GgufType.count(), "element type"));
    long count = cursor.count(elementType.minBytes(), "element count");
    long start = cursor.offset();
    skipElements(cursor, elementType, count, 1);
    return new GgufMetadata.Value(type, elementType, count, start, cursor.offset());
  }

  private static void checkScalar(GgufCursor cursor, GgufType type) {
    switch (type) {
      case STRING -> cursor.skipString("string"); // decoded when asked for
      case BOOL -> checkBool(cursor);
      default -> cursor.skip(type.minBytes(), "value");
    }
  }

  private static void checkBool(GgufCursor cursor) {
    int bool = cursor.u8("bool");
    if (bool > 1) {
      throw cursor.fail(cursor.offset() - 1, "bool of value " + bool, "0 or 1");
    }
  }

  private static void skipElements(GgufCursor cursor, GgufType type, long count, int depth) {
    switch (type) {
      case STRING -> {
        for (long i = 0; i < count; i++) {
          cursor.skipString("element");
        }
      }
      case BOOL -> {
        for (long i = 0; i < count; i++) {
          checkBool(cursor);
        }
      }
      case ARRAY -> {
        if (depth == MAX_ARRAY_DEPTH) {
          throw cursor.fail(
              cursor.offset() - GgufType.ARRAY.minBytes(),
              "arrays nested deeper than " + MAX_ARRAY_DEPTH,
              "at most " + MAX_ARRAY_DEPTH + " levels");
        }
        for (long i = 0; i < count; i++) {
          GgufType inner = GgufType.of(cursor.id(GgufType.count(), "element type"));
          skipElements(cursor, inner, cursor.count(inner.minBytes(), "element count"), depth + 1);
        }
      }
      // The count is known to fit the file, so this cannot overflow.
      default -> cursor.skip(count * type.minBytes(), "elements");
    }
  }

  private static int alignment(GgufMetadata metadata) {
    long alignment = metadata.integer(ALIGNMENT_KEY).orElse(DEFAULT_ALIGNMENT);
    if (!isAlignment(alignment)) {
      throw metadata.fail(
          ALIGNMENT_KEY, Long.toString(alignment), "a power of two of at most " + MAX_ALIGNMENT);
    }
    return (int) alignment;
  }

  static boolean isAlignment(long alignment) {
    return alignment >= 1 && alignment <= MAX_ALIGNMENT && Long.bitCount(alignment) == 1;
  }

  private static List<GgufTensor> tensors(GgufCursor cursor, long count, int alignment, int shard) {
    List<GgufTensor> table = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (long i = 0; i < count; i++) {
      long start = cursor.enter("tensor", i).offset();
      String name = cursor.name(GgufTensor.MAX_NAME_BYTES, "name");
      cursor.enter("tensor", name);
      if (!names.add(name)) {
        throw cursor.fail(start, "the name is there twice", "each tensor once");
      }
      table.add(tensor(cursor, name, alignment, shard));
    }
    return place(cursor, table, alignment);
  }

  /// A row of the table; its offset counts from the start of the data yet.
  private static GgufTensor tensor(GgufCursor cursor, String name, int alignment, int shard) {
    int rank = cursor.i32("number of dimensions");
    if (rank < 1 || rank > GgufTensor.MAX_DIMS) {
      throw cursor.fail(
          cursor.offset() - 4,
          Integer.toUnsignedString(rank) + " dimensions",
          "1 to " + GgufTensor.MAX_DIMS);
    }
    long shape = cursor.offset();
    long[] dims = new long[rank];
    for (int i = 0; i < rank; i++) {
      dims[i] = cursor.i64("dimension");
      if (dims[i] < 1) {
        throw cursor.fail(
            cursor.offset() - 8,
            "dimension " + i + " of " + Long.toUnsignedString(dims[i]),
            "1 to 2^63 - 1");
      }
    }
    GgmlType type = GgmlType.of(cursor.i32("type"));
    long offset = cursor.i64("offset");
    if (offset < 0 || offset % alignment != 0) {
      throw cursor.fail(
          cursor.offset() - 8,
          "offset " + Long.toUnsignedString(offset),
          "a multiple of the alignment " + alignment + " below 2^63");
    }
    return new GgufTensor(name, type, dims, shard, offset, byteSize(cursor, shape, type, dims));
  }

  private static long byteSize(GgufCursor cursor, long at, GgmlType type, long[] dims) {
    if (!type.isSized()) {
      return GgufTensor.UNKNOWN_SIZE;
    }
    try {
      return type.byteSize(dims);
    } catch (IllegalArgumentException e) {
      throw cursor.fail(at, e.getMessage());
    }
  }

  /// The table with offsets that count from the start of the file.
  private static List<GgufTensor> place(GgufCursor cursor, List<GgufTensor> table, int alignment) {
    long dataStart = Math.ceilDiv(cursor.offset(), alignment) * alignment;
    // At least 0, lest the comparison below overflows: padding may lie beyond the end of the file.
    long dataBytes = Math.max(cursor.offset() + cursor.remaining() - dataStart, 0);
    List<GgufTensor> placed = new ArrayList<>(table.size());
    for (GgufTensor t : table) {
      if (t.offset() > dataBytes - occupied(t)) {
        throw cursor
            .enter("tensor", t.name())
            .fail(
                dataStart,
                String.format(
                    Locale.ROOT,
                    "%d bytes of data at offset %d of the data section",
                    occupied(t),
                    t.offset()),
                String.format(
                    Locale.ROOT, "them within its %d bytes%s", dataBytes, GgufCursor.CUT_SHORT));
      }
      placed.add(t.at(dataStart + t.offset()));
    }
    List<GgufTensor> byOffset = new ArrayList<>(placed);
    byOffset.sort(Comparator.comparingLong(GgufTensor::offset));
    for (int i = 1; i < byOffset.size(); i++) {
      GgufTensor before = byOffset.get(i - 1);
      GgufTensor tensor = byOffset.get(i);
      if (before.offset() + occupied(before) > tensor.offset()) {
        throw cursor
            .enter("tensor", tensor.name())
            .fail(
                tensor.offset(),
                "data overlaps that of tensor " + Printable.quoted(before.name()),
                "tensors apart from each other");
      }
    }
    return Collections.unmodifiableList(placed);
  }

  // A tensor of unknown size takes up one byte at least.
  private static long occupied(GgufTensor tensor) {
    return Math.max(tensor.byteSize(), 1);
  }
}

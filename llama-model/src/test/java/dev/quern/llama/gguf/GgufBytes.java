package dev.quern.llama.gguf;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Builds the bytes of GGUF files, sound or not, without the code under test. Remembers where each
/// number lies, for mutations that know the structure.
final class GgufBytes {
  /// A number in the file.
  record Field(int offset, int bytes) {}

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final List<Field> fields = new ArrayList<>();

  /// The header of a version 3 file.
  static GgufBytes file(long tensors, long entries) {
    return new GgufBytes().text("GGUF").u32(3).u64(tensors).u64(entries);
  }

  GgufBytes u8(int value) {
    return number(value, 1);
  }

  GgufBytes u16(int value) {
    return number(value, 2);
  }

  GgufBytes u32(long value) {
    return number(value, 4);
  }

  GgufBytes u64(long value) {
    return number(value, 8);
  }

  GgufBytes f32(float value) {
    return number(Float.floatToRawIntBits(value), 4);
  }

  GgufBytes f64(double value) {
    return number(Double.doubleToRawLongBits(value), 8);
  }

  /// A string with its length.
  GgufBytes string(String text) {
    return string(text.getBytes(StandardCharsets.UTF_8));
  }

  GgufBytes string(byte[] bytes) {
    return u64(bytes.length).raw(bytes);
  }

  /// Bytes without a length.
  GgufBytes text(String text) {
    return raw(text.getBytes(StandardCharsets.UTF_8));
  }

  GgufBytes raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  /// The head of a metadata entry; the value follows.
  GgufBytes entry(String key, GgufType type) {
    return string(key).u32(type.ordinal());
  }

  /// The head of an entry that is an array; the elements follow.
  GgufBytes array(String key, GgufType elementType, long count) {
    return entry(key, GgufType.ARRAY).u32(elementType.ordinal()).u64(count);
  }

  /// A row of the tensor table.
  GgufBytes tensor(String name, int type, long offset, long... dims) {
    string(name).u32(dims.length);
    for (long dim : dims) {
      u64(dim);
    }
    return u32(type).u64(offset);
  }

  GgufBytes pad(int alignment) {
    return raw(new byte[(alignment - out.size() % alignment) % alignment]);
  }

  GgufBytes zeros(int count) {
    return raw(new byte[count]);
  }

  int size() {
    return out.size();
  }

  List<Field> fields() {
    return List.copyOf(fields);
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  /// All but the last `count` bytes.
  byte[] cut(int count) {
    return Arrays.copyOf(bytes(), size() - count);
  }

  /// A copy off the heap, flush against nothing: accesses beyond it throw.
  static MemorySegment offHeap(byte[] bytes, Arena arena) {
    return arena
        .allocate(Math.max(bytes.length, 1), 1)
        .asSlice(0, bytes.length)
        .copyFrom(MemorySegment.ofArray(bytes));
  }

  private GgufBytes number(long value, int bytes) {
    fields.add(new Field(out.size(), bytes));
    byte[] all = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
    out.write(all, 0, bytes);
    return this;
  }
}

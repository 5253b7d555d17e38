package dev.quern.llama.gguf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.llama.text.Printable;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// Collects GGUF's primitives in memory: little-endian integers and floats, strings with their
/// length.
final class GgufEncoder {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteBuffer number = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);

  long size() {
    return out.size();
  }

  GgufEncoder integer(GgufType type, long value) {
    return number(value, type.minBytes());
  }

  GgufEncoder i32(int value) {
    return number(value, 4);
  }

  GgufEncoder i64(long value) {
    return number(value, 8);
  }

  GgufEncoder string(byte[] utf8) {
    i64(utf8.length);
    out.writeBytes(utf8);
    return this;
  }

  GgufEncoder bytes(MemorySegment bytes) {
    out.writeBytes(bytes.toArray(JAVA_BYTE));
    return this;
  }

  GgufEncoder append(GgufEncoder other) {
    out.writeBytes(other.out.toByteArray());
    return this;
  }

  GgufEncoder zeros(long count) {
    out.writeBytes(new byte[Math.toIntExact(count)]);
    return this;
  }

  byte[] toByteArray() {
    return out.toByteArray();
  }

  /// A string's bytes.
  ///
  /// @throws IllegalArgumentException where UTF-8 cannot express it, as with half a surrogate pair
  static byte[] utf8(String text) {
    try {
      ByteBuffer utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
      byte[] bytes = new byte[utf8.remaining()];
      utf8.get(bytes);
      return bytes;
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "string %s: an unpaired surrogate, expected well-formed text",
              Printable.quoted(text)),
          e);
    }
  }

  // The low bytes of a two's complement number are the narrower number, signed or not.
  private GgufEncoder number(long value, int bytes) {
    number.putLong(0, value);
    out.write(number.array(), 0, bytes);
    return this;
  }
}

package dev.quern.llama.gguf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.quern.llama.text.Printable;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/// Reads a file's bytes from front to back. Every read is checked against what remains, and a
/// failed check becomes a [GgufException] that says where.
///
/// What is read lies in an array: a vocabulary has some 400,000 short strings, and reading each
/// through a segment would make a start wait for the compiler (docs/cold-start.md).
///
/// One thread's; the bytes may be shared.
final class GgufCursor {
  /// The remedy where a file ends before what it announces.
  static final String CUT_SHORT = ": the file is cut short or damaged, get it again";

  /// Bytes that are read at once: few for a value by itself, more the longer it goes on.
  private static final int FIRST_WINDOW = 256;

  private static final int LARGEST_WINDOW = 1 << 16;

  private final String file;
  private final MemorySegment bytes;
  private long offset;
  private byte[] window = {};
  private long windowAt; // in the file
  private int windowBytes; // of the window that are the file's
  // What is being read, put together only if a message needs it.
  private String structure = "header";
  private String name = "";
  private long index = -1;

  /// @param file what messages call the file
  /// @param bytes the file, or its beginning
  /// @param offset the first byte to read
  GgufCursor(String file, MemorySegment bytes, long offset) {
    this.file = file;
    this.bytes = bytes;
    this.offset = offset;
  }

  /// Says that what is read from here on belongs to a structure, known by its index so far.
  GgufCursor enter(String structure, long index) {
    this.structure = structure;
    this.name = "";
    this.index = index;
    return this;
  }

  /// Says that what is read from here on belongs to a structure of that name.
  GgufCursor enter(String structure, String name) {
    this.structure = structure;
    this.name = name;
    return this;
  }

  long offset() {
    return offset;
  }

  long remaining() {
    return bytes.byteSize() - offset;
  }

  int u8(String what) {
    return (int) word(take(1, what), 1);
  }

  short i16(String what) {
    return (short) word(take(2, what), 2);
  }

  int i32(String what) {
    return (int) word(take(4, what), 4);
  }

  long i64(String what) {
    return word(take(8, what), 8);
  }

  /// Passes over `size` bytes.
  void skip(long size, String what) {
    take(size, what);
  }

  /// An unsigned 32-bit id below `limit`.
  int id(int limit, String what) {
    int id = i32(what);
    if (id < 0 || id >= limit) {
      throw fail(
          offset - 4,
          what + " " + Integer.toUnsignedString(id),
          "an id below " + limit + ": the file is damaged, or newer than this reader");
    }
    return id;
  }

  /// An unsigned 64-bit count of things that follow, each of at least `minBytes` bytes.
  long count(long minBytes, String what) {
    long count = i64(what);
    long most = remaining() / minBytes;
    if (count < 0 || count > most) {
      throw fail(
          offset - 8,
          what + " " + Long.toUnsignedString(count),
          "at most " + most + ", since " + remaining() + " bytes remain" + CUT_SHORT);
    }
    return count;
  }

  /// A string of 1 to `maxBytes` bytes.
  String name(int maxBytes, String what) {
    long length = count(1, what + " length");
    if (length < 1 || length > maxBytes) {
      throw fail(offset - 8, what + " of " + length + " bytes", "1 to " + maxBytes + " bytes");
    }
    return text(length);
  }

  /// A string of any length, as long as it fits an array.
  String string(String what) {
    long length = count(1, what + " length");
    if (length > Integer.MAX_VALUE - 8) {
      throw fail(offset - 8, what + " of " + length + " bytes", "at most 2^31 - 9");
    }
    return text(length);
  }

  /// As [#string], with U+FFFD for bytes that are no UTF-8: for texts that nothing depends on.
  String stringForPeople(String what) {
    long length = count(1, what + " length");
    if (length > Integer.MAX_VALUE - 8) {
      throw fail(offset - 8, what + " of " + length + " bytes", "at most 2^31 - 9");
    }
    return decoded(take(length, "string"), (int) length);
  }

  /// Passes over a string without decoding it.
  void skipString(String what) {
    skip(count(1, what + " length"), what);
  }

  /// A scalar of an integer type.
  long integer(GgufType type) {
    return switch (type) {
      case UINT8 -> u8("value");
      case INT8 -> (byte) u8("value");
      case UINT16 -> Short.toUnsignedLong(i16("value"));
      case INT16 -> i16("value");
      case UINT32 -> Integer.toUnsignedLong(i32("value"));
      case INT32 -> i32("value");
      case INT64 -> i64("value");
      case UINT64 -> {
        long value = i64("value");
        if (value < 0) {
          throw fail(offset - 8, "uint64 " + Long.toUnsignedString(value), "at most 2^63 - 1");
        }
        yield value;
      }
      default -> throw new IllegalArgumentException(type + " is no integer type");
    };
  }

  /// A scalar of a float or integer type.
  double number(GgufType type) {
    return switch (type) {
      case FLOAT32 -> Float.intBitsToFloat(i32("value"));
      case FLOAT64 -> Double.longBitsToDouble(i64("value"));
      default -> integer(type);
    };
  }

  /// A scalar of any type, printable, strings cut after `maxCharacters`.
  String show(GgufType type, int maxCharacters) {
    return switch (type) {
      case STRING -> Printable.quoted(stringForPeople("string"), maxCharacters);
      case BOOL -> u8("value") == 1 ? "true" : "false";
      case FLOAT32 -> Float.toString(Float.intBitsToFloat(i32("value")));
      case FLOAT64 -> Double.toString(number(type));
      case UINT64 -> Long.toUnsignedString(i64("value"));
      default -> Long.toString(integer(type));
    };
  }

  /// An exception about the byte at `at`.
  GgufException fail(long at, String actual, String expected) {
    return fail(at, actual + ", expected " + expected);
  }

  /// An exception about the byte at `at`, for a problem that says what was expected.
  GgufException fail(long at, String problem) {
    return new GgufException(
        String.format(Locale.ROOT, "%s: byte %d, %s: %s", file, at, place(), problem));
  }

  private String place() {
    if (!name.isEmpty()) {
      return structure + " " + Printable.quoted(name);
    }
    return index < 0 ? structure : structure + " no. " + (index + 1);
  }

  private long take(long size, String what) {
    if (size > remaining()) {
      throw fail(
          offset,
          what + " needs " + size + " bytes, " + remaining() + " remain",
          "a longer file" + CUT_SHORT);
    }
    long at = offset;
    offset += size;
    return at;
  }

  private String text(long length) {
    long at = take(length, "string");
    String text = decoded(at, (int) length);
    // The constructor is several times as fast as a decoder and puts U+FFFD where bytes are
    // malformed. The character can also be meant, so the slow, strict way decides.
    if (text.indexOf('\uFFFD') >= 0) {
      byte[] utf8 = new byte[(int) length];
      MemorySegment.copy(bytes, JAVA_BYTE, at, utf8, 0, utf8.length);
      checkUtf8(utf8, at);
    }
    return text;
  }

  private String decoded(long at, int length) {
    int from = inWindow(at, length);
    return new String(window, from, length, StandardCharsets.UTF_8);
  }

  /// Up to eight bytes, little-endian.
  private long word(long at, int size) {
    int from = inWindow(at, size);
    long word = 0;
    for (int i = size - 1; i >= 0; i--) {
      word = word << 8 | window[from + i] & 0xFF;
    }
    return word;
  }

  /// Where bytes of the file lie in the window, which they are read into if they are not there yet.
  private int inWindow(long at, int size) {
    if (at < windowAt || at + size > windowAt + windowBytes) {
      read(at, size);
    }
    return (int) (at - windowAt);
  }

  private void read(long at, int size) {
    boolean goesOn = windowBytes > 0 && at >= windowAt && at <= windowAt + windowBytes;
    int ahead = goesOn ? Math.min(4 * windowBytes, LARGEST_WINDOW) : FIRST_WINDOW;
    int all = (int) Math.min(bytes.byteSize() - at, Math.max(size, ahead));
    if (window.length < all) {
      window = new byte[all];
    }
    MemorySegment.copy(bytes, JAVA_BYTE, at, window, 0, all);
    windowAt = at;
    windowBytes = all;
  }

  private void checkUtf8(byte[] utf8, long at) {
    ByteBuffer in = ByteBuffer.wrap(utf8);
    try {
      StandardCharsets.UTF_8.newDecoder().decode(in);
    } catch (CharacterCodingException e) {
      GgufException failure =
          fail(
              at + in.position(),
              String.format(Locale.ROOT, "string with byte 0x%02x", utf8[in.position()]),
              "well-formed UTF-8");
      failure.initCause(e);
      throw failure;
    }
  }
}

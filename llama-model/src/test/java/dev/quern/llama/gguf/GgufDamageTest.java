package dev.quern.llama.gguf;

import static dev.quern.llama.gguf.GgufBytes.file;
import static dev.quern.llama.gguf.GgufType.ARRAY;
import static dev.quern.llama.gguf.GgufType.BOOL;
import static dev.quern.llama.gguf.GgufType.STRING;
import static dev.quern.llama.gguf.GgufType.UINT32;
import static dev.quern.llama.gguf.GgufType.UINT64;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every kind of damage ends in one line that says where, what and what was expected.
class GgufDamageTest {
  private static final int F32 = 0;
  private static final int Q4_0 = 2;
  private static final int I8 = 24;
  private static final String CUT = ": the file is cut short or damaged, get it again";
  private static final String NEWER = ": the file is damaged, or newer than this reader";

  /// @param message behind the file's name
  record Damage(String kind, byte[] bytes, String message) {
    @Override
    public String toString() {
      return kind;
    }
  }

  private static Damage damage(String kind, GgufBytes bytes, String message) {
    return new Damage(kind, bytes.bytes(), message);
  }

  private static GgufBytes start() {
    return new GgufBytes().text("GGUF");
  }

  private static GgufBytes value(GgufType type) {
    return file(0, 1).entry("k", type);
  }

  private static GgufBytes table() {
    return file(1, 0);
  }

  /// A table of one row, then room for 64 bytes of data.
  private static GgufBytes oneTensor(int type, long offset, long... dims) {
    return table().tensor("t", type, offset, dims).pad(32).zeros(64);
  }

  static List<Damage> header() {
    return List.of(
        damage(
            "empty file",
            new GgufBytes(),
            "byte 0, header: magic needs 4 bytes, 0 remain, expected a longer file" + CUT),
        damage(
            "magic cut",
            new GgufBytes().text("GGU"),
            "byte 0, header: magic needs 4 bytes, 3 remain, expected a longer file" + CUT),
        damage(
            "another format",
            new GgufBytes().text("PK\3\4 and more"),
            "byte 0, header: magic 0x504b0304, expected 0x47475546 ('GGUF'): not a GGUF file"),
        damage(
            "version cut",
            start().u16(3),
            "byte 4, header: version needs 4 bytes, 2 remain, expected a longer file" + CUT),
        damage(
            "version 0",
            start().u32(0).zeros(16),
            "byte 4, header: version 0, expected 2 or 3" + NEWER),
        damage(
            "version 1",
            start().u32(1).zeros(16),
            "byte 4, header: version 1, expected 2 or 3: convert the model anew with a current converter"),
        damage(
            "version 4",
            start().u32(4).zeros(16),
            "byte 4, header: version 4, expected 2 or 3" + NEWER),
        damage(
            "version 2^32 - 1",
            start().u32(-1).zeros(16),
            "byte 4, header: version 4294967295, expected 2 or 3" + NEWER),
        damage(
            "big-endian version 2",
            start().u32(0x0200_0000).zeros(16),
            "byte 4, header: big-endian version 2, expected a little-endian file: convert it with gguf_convert_endian.py of llama.cpp"),
        damage(
            "big-endian version 3",
            start().u32(0x0300_0000).zeros(16),
            "byte 4, header: big-endian version 3, expected a little-endian file: convert it with gguf_convert_endian.py of llama.cpp"),
        damage(
            "tensor count cut",
            start().u32(3).u32(0),
            "byte 8, header: tensor count needs 8 bytes, 4 remain, expected a longer file" + CUT),
        damage(
            "metadata count cut",
            start().u32(3).u64(0).u32(0),
            "byte 16, header: metadata count needs 8 bytes, 4 remain, expected a longer file"
                + CUT),
        damage(
            "tensor count 2^63",
            file(Long.MIN_VALUE, 0).zeros(64),
            "byte 8, header: tensor count 9223372036854775808, expected at most 2, since 72 bytes remain"
                + CUT),
        damage(
            "tensor count 2^64 - 1",
            file(-1, 0).zeros(64),
            "byte 8, header: tensor count 18446744073709551615, expected at most 2, since 72 bytes remain"
                + CUT),
        damage(
            "more tensors than fit",
            file(3, 0).zeros(64),
            "byte 8, header: tensor count 3, expected at most 2, since 72 bytes remain" + CUT),
        damage(
            "metadata count 2^64 - 1",
            file(0, -1).zeros(64),
            "byte 16, header: metadata count 18446744073709551615, expected at most 4, since 64 bytes remain"
                + CUT),
        damage(
            "more metadata than fits",
            file(0, 5).zeros(64),
            "byte 16, header: metadata count 5, expected at most 4, since 64 bytes remain" + CUT),
        damage(
            "one entry less than counted",
            file(0, 2).entry("k", STRING).string("0123456789"),
            "byte 55, metadata entry no. 2: key length needs 8 bytes, 0 remain, expected a longer file"
                + CUT),
        damage(
            "one tensor less than counted",
            file(2, 0).tensor("t", F32, 0, 4).pad(32).zeros(64),
            "byte 57, tensor no. 2: name of 0 bytes, expected 1 to 64 bytes"));
  }

  static List<Damage> metadata() {
    GgufBytes nested = file(0, 1).array("k", ARRAY, 1);
    for (int depth = 0; depth < 3; depth++) {
      nested.u32(ARRAY.ordinal()).u64(1);
    }
    nested.u32(UINT32.ordinal()).u64(1).u32(7);
    return List.of(
        damage(
            "key length 2^63",
            file(0, 1).u64(Long.MIN_VALUE).zeros(16),
            "byte 24, metadata entry no. 1: key length 9223372036854775808, expected at most 16, since 16 bytes remain"
                + CUT),
        damage(
            "key length beyond the end",
            file(0, 1).u64(17).zeros(16),
            "byte 24, metadata entry no. 1: key length 17, expected at most 16, since 16 bytes remain"
                + CUT),
        damage(
            "key empty",
            file(0, 1).string("").u32(4).u32(1).zeros(4),
            "byte 24, metadata entry no. 1: key of 0 bytes, expected 1 to 65535 bytes"),
        damage(
            "key of 65536 bytes",
            file(0, 1).entry("k".repeat(65536), UINT32).u32(1),
            "byte 24, metadata entry no. 1: key of 65536 bytes, expected 1 to 65535 bytes"),
        damage(
            "key not UTF-8",
            file(0, 1).string(new byte[] {'k', (byte) 0xff}).u32(4).u32(1),
            "byte 33, metadata entry no. 1: string with byte 0xff, expected well-formed UTF-8"),
        damage(
            "key twice",
            file(0, 2).entry("k", UINT32).u32(1).entry("k", UINT32).u32(2),
            "byte 41, metadata key 'k': the key is there twice, expected each key once"),
        damage(
            "key with a line break twice",
            file(0, 2).entry("a\nb\u001b[2J", UINT32).u32(1).entry("a\nb\u001b[2J", UINT32).u32(2),
            "byte 47, metadata key 'a\\nb\\u001b[2J': the key is there twice, expected each key once"),
        damage(
            "value type cut",
            file(0, 1).string("key").u16(4).u8(0),
            "byte 35, metadata key 'key': value type needs 4 bytes, 3 remain, expected a longer file"
                + CUT),
        damage(
            "value type 13",
            file(0, 1).string("k").u32(13).u64(0),
            "byte 33, metadata key 'k': value type 13, expected an id below 13" + NEWER),
        damage(
            "value type 2^32 - 1",
            file(0, 1).string("k").u32(-1).u64(0),
            "byte 33, metadata key 'k': value type 4294967295, expected an id below 13" + NEWER),
        damage(
            "uint32 cut",
            value(UINT32).u16(1),
            "byte 37, metadata key 'k': value needs 4 bytes, 2 remain, expected a longer file"
                + CUT),
        damage(
            "uint64 cut",
            value(UINT64).u32(1),
            "byte 37, metadata key 'k': value needs 8 bytes, 4 remain, expected a longer file"
                + CUT),
        damage(
            "string length cut",
            value(STRING).u32(1),
            "byte 37, metadata key 'k': string length needs 8 bytes, 4 remain, expected a longer file"
                + CUT),
        damage(
            "string length 2^63",
            value(STRING).u64(Long.MIN_VALUE).zeros(8),
            "byte 37, metadata key 'k': string length 9223372036854775808, expected at most 8, since 8 bytes remain"
                + CUT),
        damage(
            "string length 2^63 - 1",
            value(STRING).u64(Long.MAX_VALUE).zeros(8),
            "byte 37, metadata key 'k': string length 9223372036854775807, expected at most 8, since 8 bytes remain"
                + CUT),
        damage(
            "string one byte too long",
            value(STRING).u64(9).zeros(8),
            "byte 37, metadata key 'k': string length 9, expected at most 8, since 8 bytes remain"
                + CUT),
        damage(
            "bool 2",
            value(BOOL).u8(2),
            "byte 37, metadata key 'k': bool of value 2, expected 0 or 1"),
        damage(
            "array element type cut",
            file(0, 1).entry("k", ARRAY).u16(4),
            "byte 37, metadata key 'k': element type needs 4 bytes, 2 remain, expected a longer file"
                + CUT),
        damage(
            "array element type 13",
            file(0, 1).entry("k", ARRAY).u32(13).u64(1).u64(0),
            "byte 37, metadata key 'k': element type 13, expected an id below 13" + NEWER),
        damage(
            "array count cut",
            file(0, 1).entry("k", ARRAY).u32(4).u32(1),
            "byte 41, metadata key 'k': element count needs 8 bytes, 4 remain, expected a longer file"
                + CUT),
        damage(
            "array count 2^63",
            file(0, 1).array("k", UINT32, Long.MIN_VALUE).zeros(8),
            "byte 41, metadata key 'k': element count 9223372036854775808, expected at most 2, since 8 bytes remain"
                + CUT),
        damage(
            "array bytes overflow a long",
            file(0, 1).array("k", UINT64, 1L << 61).zeros(8),
            "byte 41, metadata key 'k': element count 2305843009213693952, expected at most 1, since 8 bytes remain"
                + CUT),
        damage(
            "array one element too long",
            file(0, 1).array("k", UINT32, 3).zeros(8),
            "byte 41, metadata key 'k': element count 3, expected at most 2, since 8 bytes remain"
                + CUT),
        damage(
            "strings: more than fit",
            file(0, 1).array("k", STRING, 3).zeros(23),
            "byte 41, metadata key 'k': element count 3, expected at most 2, since 23 bytes remain"
                + CUT),
        damage(
            "strings: length beyond the end",
            file(0, 1).array("k", STRING, 2).string("ab").u64(1),
            "byte 59, metadata key 'k': element length 1, expected at most 0, since 0 bytes remain"
                + CUT),
        damage(
            "bools: a 2 among them",
            file(0, 1).array("k", BOOL, 3).u8(0).u8(2).u8(1),
            "byte 50, metadata key 'k': bool of value 2, expected 0 or 1"),
        damage(
            "arrays nested five deep",
            nested,
            "byte 73, metadata key 'k': arrays nested deeper than 4, expected at most 4 levels"),
        damage(
            "arrays within: count 2^63",
            file(0, 1).array("k", ARRAY, 1).u32(0).u64(Long.MIN_VALUE),
            "byte 53, metadata key 'k': element count 9223372036854775808, expected at most 0, since 0 bytes remain"
                + CUT),
        damage(
            "arrays within: element type 99",
            file(0, 1).array("k", ARRAY, 1).u32(99).u64(0),
            "byte 49, metadata key 'k': element type 99, expected an id below 13" + NEWER),
        damage(
            "alignment 0",
            alignment(0),
            "byte 53, metadata key 'general.alignment': 0, expected a power of two of at most 2097152"),
        damage(
            "alignment 3",
            alignment(3),
            "byte 53, metadata key 'general.alignment': 3, expected a power of two of at most 2097152"),
        damage(
            "alignment 2^31",
            alignment(1L << 31),
            "byte 53, metadata key 'general.alignment': 2147483648, expected a power of two of at most 2097152"),
        damage(
            "alignment 2^32 - 1",
            alignment(-1),
            "byte 53, metadata key 'general.alignment': 4294967295, expected a power of two of at most 2097152"),
        damage(
            "alignment a string",
            file(0, 1).entry("general.alignment", STRING).string("32"),
            "byte 53, metadata key 'general.alignment': string, expected an integer"),
        damage(
            "alignment a uint64 of 2^63",
            file(0, 1).entry("general.alignment", UINT64).u64(Long.MIN_VALUE),
            "byte 53, metadata key 'general.alignment': uint64 9223372036854775808, expected at most 2^63 - 1"));
  }

  private static GgufBytes alignment(long alignment) {
    return file(0, 1).entry("general.alignment", UINT32).u32(alignment);
  }

  static List<Damage> tensors() {
    long huge = 1L << 62;
    return List.of(
        damage(
            "name length 2^63",
            table().u64(Long.MIN_VALUE).zeros(40),
            "byte 24, tensor no. 1: name length 9223372036854775808, expected at most 40, since 40 bytes remain"
                + CUT),
        damage(
            "name empty",
            table().tensor("", F32, 0, 4).zeros(16),
            "byte 24, tensor no. 1: name of 0 bytes, expected 1 to 64 bytes"),
        damage(
            "name of 65 bytes",
            table().tensor("n".repeat(65), F32, 0, 4).pad(32).zeros(16),
            "byte 24, tensor no. 1: name of 65 bytes, expected 1 to 64 bytes"),
        damage(
            "name not UTF-8",
            table().string(new byte[] {(byte) 0x80}).u32(1).u64(4).u32(F32).u64(0),
            "byte 32, tensor no. 1: string with byte 0x80, expected well-formed UTF-8"),
        damage(
            "name twice",
            file(2, 0).tensor("t", F32, 0, 4).tensor("t", F32, 32, 4).pad(32).zeros(64),
            "byte 57, tensor 't': the name is there twice, expected each tensor once"),
        damage(
            "dimensions cut",
            table().string("n".repeat(30)).u16(1),
            "byte 62, tensor 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnn': number of dimensions needs 4 bytes, 2 remain, expected a longer file"
                + CUT),
        damage(
            "0 dimensions",
            oneTensor(F32, 0),
            "byte 33, tensor 't': 0 dimensions, expected 1 to 4"),
        damage(
            "5 dimensions",
            oneTensor(F32, 0, 1, 1, 1, 1, 1),
            "byte 33, tensor 't': 5 dimensions, expected 1 to 4"),
        damage(
            "2^32 - 1 dimensions",
            table().string("t").u32(-1).zeros(64),
            "byte 33, tensor 't': 4294967295 dimensions, expected 1 to 4"),
        damage(
            "dimension cut",
            table().string("n".repeat(24)).u32(1).u32(4),
            "byte 60, tensor 'nnnnnnnnnnnnnnnnnnnnnnnn': dimension needs 8 bytes, 4 remain, expected a longer file"
                + CUT),
        damage(
            "dimension 0",
            oneTensor(F32, 0, 4, 0),
            "byte 45, tensor 't': dimension 1 of 0, expected 1 to 2^63 - 1"),
        damage(
            "dimension 2^63",
            oneTensor(F32, 0, Long.MIN_VALUE),
            "byte 37, tensor 't': dimension 0 of 9223372036854775808, expected 1 to 2^63 - 1"),
        damage(
            "elements overflow a long",
            oneTensor(F32, 0, huge, huge),
            "byte 37, tensor 't': shape [4611686018427387904, 4611686018427387904] of type F32, expected a size below 2^63 bytes"),
        damage(
            "elements fit, bytes overflow",
            oneTensor(F32, 0, huge),
            "byte 37, tensor 't': shape [4611686018427387904] of type F32, expected a size below 2^63 bytes"),
        damage(
            "type cut",
            table().string("n".repeat(24)).u32(1).u64(4).u16(0),
            "byte 68, tensor 'nnnnnnnnnnnnnnnnnnnnnnnn': type needs 4 bytes, 2 remain, expected a longer file"
                + CUT),
        damage(
            "row no multiple of the block",
            oneTensor(Q4_0, 0, 48),
            "byte 37, tensor 't': a row of 48 weights, expected a multiple of 32 (type Q4_0)"),
        damage(
            "row no multiple of the block of a listed type",
            oneTensor(21, 0, 48),
            "byte 37, tensor 't': a row of 48 weights, expected a multiple of 256 (type IQ3_S)"),
        damage(
            "offset cut",
            table().string("n".repeat(24)).u32(1).u64(4).u32(F32).u32(0),
            "byte 72, tensor 'nnnnnnnnnnnnnnnnnnnnnnnn': offset needs 8 bytes, 4 remain, expected a longer file"
                + CUT),
        damage(
            "offset not aligned",
            oneTensor(F32, 4, 4),
            "byte 49, tensor 't': offset 4, expected a multiple of the alignment 32 below 2^63"),
        damage(
            "offset 2^63",
            oneTensor(F32, Long.MIN_VALUE, 4),
            "byte 49, tensor 't': offset 9223372036854775808, expected a multiple of the alignment 32 below 2^63"),
        damage(
            "offset beyond the end",
            oneTensor(F32, 96, 4),
            "byte 64, tensor 't': 16 bytes of data at offset 96 of the data section, expected them within its 64 bytes"
                + CUT),
        damage(
            "offset plus size overflow a long",
            oneTensor(F32, Long.MAX_VALUE - 31, 8),
            "byte 64, tensor 't': 32 bytes of data at offset 9223372036854775776 of the data section, expected them within its 64 bytes"
                + CUT),
        damage(
            "offset of an unknown type beyond the end",
            oneTensor(99, 64, 4),
            "byte 64, tensor 't': 1 bytes of data at offset 64 of the data section, expected them within its 64 bytes"
                + CUT),
        new Damage(
            "data one byte short",
            table().tensor("t", F32, 0, 16).pad(32).zeros(64).cut(1),
            "byte 64, tensor 't': 64 bytes of data at offset 0 of the data section, expected them within its 63 bytes"
                + CUT),
        damage(
            "no data section, data of 2^63 - 1 bytes",
            table().tensor("t", I8, 0, Long.MAX_VALUE),
            "byte 64, tensor 't': 9223372036854775807 bytes of data at offset 0 of the data section, expected them within its 0 bytes"
                + CUT),
        damage(
            "no data section",
            table().tensor("t", F32, 0, 16),
            "byte 64, tensor 't': 64 bytes of data at offset 0 of the data section, expected them within its 0 bytes"
                + CUT),
        damage(
            "data overlaps",
            twoTensors(32, F32, 0, F32),
            "byte 128, tensor 'one': data overlaps that of tensor 'two', expected tensors apart from each other"),
        damage(
            "data at the same place",
            twoTensors(0, F32, 0, F32),
            "byte 96, tensor 'two': data overlaps that of tensor 'one', expected tensors apart from each other"),
        damage(
            "data within another's",
            twoTensors(32, 99, 0, F32, 64),
            "byte 128, tensor 'one': data overlaps that of tensor 'two', expected tensors apart from each other"),
        damage(
            "unknown types at the same place",
            twoTensors(32, 99, 32, 98),
            "byte 128, tensor 'two': data overlaps that of tensor 'one', expected tensors apart from each other"));
  }

  private static GgufBytes twoTensors(long offset1, int type1, long offset2, int type2) {
    return twoTensors(offset1, type1, offset2, type2, 9);
  }

  private static GgufBytes twoTensors(
      long offset1, int type1, long offset2, int type2, long elements2) {
    return file(2, 0)
        .tensor("one", type1, offset1, 8)
        .tensor("two", type2, offset2, elements2)
        .pad(32)
        .zeros(512);
  }

  /// Strings that are no UTF-8 don't keep a file from being opened: nobody may need them. Whoever
  /// asks for one gets the line, and people a text with U+FFFD.
  static List<Damage> strings() {
    return List.of(
        damage(
            "string not UTF-8",
            value(STRING).string(new byte[] {'a', (byte) 0xc3, '('}),
            "byte 46, metadata key 'k': string with byte 0xc3, expected well-formed UTF-8"),
        damage(
            "string with an overlong slash",
            value(STRING).string(new byte[] {(byte) 0xc0, (byte) 0xaf}),
            "byte 45, metadata key 'k': string with byte 0xc0, expected well-formed UTF-8"),
        damage(
            "string with a surrogate",
            value(STRING).string(new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80}),
            "byte 45, metadata key 'k': string with byte 0xed, expected well-formed UTF-8"),
        damage(
            "string ends within a character",
            value(STRING).string(new byte[] {'a', (byte) 0xe2, (byte) 0x82}),
            "byte 46, metadata key 'k': string with byte 0xe2, expected well-formed UTF-8"));
  }

  @ParameterizedTest
  @MethodSource("strings")
  void stringsAreCheckedWhenAskedFor(Damage damage) {
    try (Arena arena = Arena.ofConfined()) {
      GgufMetadata metadata =
          GgufHeader.parse("m.gguf", GgufBytes.offHeap(damage.bytes, arena), 0).metadata();
      GgufException e = assertThrows(GgufException.class, () -> metadata.string("k"));
      assertEquals("m.gguf: " + damage.message, e.getMessage());
      assertTrue(metadata.stringForPeople("k").orElseThrow().contains("\ufffd"));
      assertTrue(metadata.describe("k").contains("\ufffd"));
    }
  }

  @ParameterizedTest
  @MethodSource({"header", "metadata", "tensors"})
  void endsInOneLine(Damage damage) {
    try (Arena arena = Arena.ofConfined()) {
      GgufException e =
          assertThrows(
              GgufException.class,
              () -> GgufHeader.parse("m.gguf", GgufBytes.offHeap(damage.bytes, arena), 0));
      assertEquals("m.gguf: " + damage.message, e.getMessage());
    }
  }
}

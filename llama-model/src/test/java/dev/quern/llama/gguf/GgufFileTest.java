package dev.quern.llama.gguf;

import static dev.quern.llama.gguf.GgufBytes.file;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a sound file gives, and what is refused of it.
class GgufFileTest {
  @TempDir Path folder;

  private GgufFile open(GgufBytes bytes) throws IOException {
    return GgufFile.open(Files.write(folder.resolve("m.gguf"), bytes.bytes()));
  }

  private void assertFails(String message, Executable call) {
    String prefix = folder + File.separator;
    String actual = assertThrows(GgufException.class, call).getMessage();
    assertEquals(message, actual.replace(prefix, ""));
  }

  private static GgufBytes everyType() {
    return file(0, 19)
        .entry("u8", GgufType.UINT8)
        .u8(200)
        .entry("i8", GgufType.INT8)
        .u8(200)
        .entry("u16", GgufType.UINT16)
        .u16(60000)
        .entry("i16", GgufType.INT16)
        .u16(60000)
        .entry("u32", GgufType.UINT32)
        .u32(4_000_000_000L)
        .entry("i32", GgufType.INT32)
        .u32(4_000_000_000L)
        .entry("u64", GgufType.UINT64)
        .u64(Long.MIN_VALUE)
        .entry("i64", GgufType.INT64)
        .u64(Long.MIN_VALUE)
        .entry("f32", GgufType.FLOAT32)
        .f32(1.5f)
        .entry("f64", GgufType.FLOAT64)
        .f64(0.1)
        .entry("no", GgufType.BOOL)
        .u8(0)
        .entry("yes", GgufType.BOOL)
        .u8(1)
        .entry("text", GgufType.STRING)
        .string("caf\u00e9 \ufffd \ud83d\ude00\n\u001b[31m\u202e")
        .array("ints", GgufType.INT8, 3)
        .u8(1)
        .u8(255)
        .u8(3)
        .array("wide", GgufType.UINT32, 2)
        .u32(1)
        .u32(4_000_000_000L)
        .array("doubles", GgufType.FLOAT64, 1)
        .f64(0.1)
        .array("strings", GgufType.STRING, 2)
        .string("")
        .string("\u00e9")
        .array("broken", GgufType.STRING, 2)
        .string("a")
        .string(new byte[] {(byte) 0xff})
        .array("nested", GgufType.ARRAY, 2)
        .u32(GgufType.UINT8.id())
        .u64(1)
        .u8(9)
        .u32(GgufType.STRING.id())
        .u64(1)
        .string("x");
  }

  @Test
  void metadataOfEveryType() throws IOException {
    try (GgufFile f = open(everyType())) {
      GgufMetadata m = f.metadata();
      assertEquals(OptionalLong.of(200), m.integer("u8"));
      assertEquals(OptionalLong.of(-56), m.integer("i8"));
      assertEquals(OptionalLong.of(60000), m.integer("u16"));
      assertEquals(OptionalLong.of(60000 - 65536), m.integer("i16"));
      assertEquals(OptionalLong.of(4_000_000_000L), m.integer("u32"));
      assertEquals(OptionalLong.of(4_000_000_000L - (1L << 32)), m.integer("i32"));
      assertEquals(OptionalLong.of(Long.MIN_VALUE), m.integer("i64"));
      assertEquals(OptionalDouble.of(1.5), m.number("f32"));
      assertEquals(OptionalDouble.of(0.1), m.number("f64"));
      assertEquals(OptionalDouble.of(4e9), m.number("u32"));
      assertEquals(Optional.of(false), m.bool("no"));
      assertEquals(Optional.of(true), m.bool("yes"));
      assertEquals(
          Optional.of("caf\u00e9 \ufffd \ud83d\ude00\n\u001b[31m\u202e"), m.string("text"));
      assertArrayEquals(new int[] {1, -1, 3}, m.ints("ints"));
      assertArrayEquals(new float[] {0.1f}, m.floats("doubles"));
      assertEquals(List.of("", "\u00e9"), m.strings("strings"));
      assertTrue(m.isArray("nested") && m.has("u8") && !m.isArray("u8") && !m.has("u9"));
      assertEquals(19, m.keys().size());
      assertEquals("u8", m.keys().iterator().next());
    }
  }

  @Test
  void aFileInMemoryIsReadAsOneOnDisk() throws IOException {
    Path path = folder.resolve("written.gguf");
    try (GgufWriter writer = GgufWriter.create(path)) {
      writer.string("a.key", "value").tensor("t", BlockFormat.F32, 3);
      writer.data("t", MemorySegment.ofArray(new byte[] {0, 0, 0, 0, 0, 0, -128, 63, 0, 0, 0, 64}));
      writer.finish();
    }
    byte[] bytes = Files.readAllBytes(path);
    MemorySegment mapped;
    try (Arena arena = Arena.ofShared()) {
      try (GgufFile f = GgufFile.of("in memory", bytes)) {
        assertEquals(Optional.of("value"), f.metadata().string("a.key"));
        assertArrayEquals(new float[] {0, 1, 2}, f.vector(f.tensor("t")));
        assertEquals(List.of(), f.files());
        mapped = f.map(f.tensor("t"), arena);
      }
      assertEquals(12, mapped.byteSize());
      assertEquals(64, mapped.get(ValueLayout.JAVA_BYTE, 11));
    }
    bytes[0] = 'X';
    GgufException e = assertThrows(GgufException.class, () -> GgufFile.of("in memory", bytes));
    assertTrue(e.getMessage().startsWith("in memory: "), e.getMessage());
  }

  @Test
  void absentKeysGiveEmptyResults() throws IOException {
    try (GgufFile f = open(file(0, 0))) {
      GgufMetadata m = f.metadata();
      assertEquals(OptionalLong.empty(), m.integer("x"));
      assertEquals(OptionalDouble.empty(), m.number("x"));
      assertEquals(Optional.empty(), m.bool("x"));
      assertEquals(Optional.empty(), m.string("x"));
      assertEquals(List.of(), m.strings("x"));
      assertEquals(0, m.ints("x").length + m.floats("x").length);
      assertFails(
          "m.gguf: metadata key 'x': absent, expected one of the file's 0 keys",
          () -> m.describe("x"));
    }
  }

  @Test
  void descriptionsAreOneSafeLine() throws IOException {
    try (GgufFile f = open(everyType())) {
      GgufMetadata m = f.metadata();
      assertEquals("uint64 9223372036854775808", m.describe("u64"));
      assertEquals("float64 0.1", m.describe("f64"));
      assertEquals("bool false", m.describe("no"));
      assertEquals(
          "string 'caf\u00e9 \ufffd \ud83d\ude00\\n\\u001b[31m\\u202e'", m.describe("text"));
      assertEquals("int8[3] [1, -1, 3]", m.describe("ints"));
      assertEquals("string[2] ['', '\u00e9']", m.describe("strings"));
      assertEquals("array[2]", m.describe("nested"));
    }
  }

  @Test
  void valuesOfAnotherTypeAreRefused() throws IOException {
    try (GgufFile f = open(everyType())) {
      GgufMetadata m = f.metadata();
      assertFails(
          "m.gguf: byte 38, metadata key 'u8': uint8, expected a string", () -> m.string("u8"));
      assertFails("m.gguf: byte 38, metadata key 'u8': uint8, expected a bool", () -> m.bool("u8"));
      assertFails(
          "m.gguf: byte 38, metadata key 'u8': uint8, expected an array of integers",
          () -> m.ints("u8"));
      assertDecisive("float32, expected an integer", () -> m.integer("f32"));
      assertDecisive("string, expected a number", () -> m.number("text"));
      assertDecisive("int8[3], expected an integer", () -> m.integer("ints"));
      assertDecisive("int8[3], expected an array of floats", () -> m.floats("ints"));
      assertDecisive("string[2], expected an array of integers", () -> m.ints("strings"));
      assertDecisive("float64[1], expected an array of strings", () -> m.strings("doubles"));
      assertDecisive("array[2], expected an array of strings", () -> m.strings("nested"));
      assertDecisive(
          "uint64 9223372036854775808, expected at most 2^63 - 1", () -> m.integer("u64"));
      assertDecisive("uint32 4000000000, expected a 32-bit signed integer", () -> m.ints("wide"));
      assertDecisive(
          "metadata key 'broken': string with byte 0xff, expected well-formed UTF-8",
          () -> m.strings("broken"));
    }
  }

  private static void assertDecisive(String part, Executable call) {
    String message = assertThrows(GgufException.class, call).getMessage();
    assertTrue(message.endsWith(part), message);
  }

  @Test
  void version2() throws IOException {
    byte[] bytes = everyType().bytes();
    bytes[4] = 2;
    try (GgufFile f = GgufFile.open(Files.write(folder.resolve("m.gguf"), bytes))) {
      assertEquals(2, f.version());
      assertEquals(19, f.metadata().keys().size());
    }
  }

  /// Tensors: matrix F32 [2, 3], vector F16 [2], listed IQ3_S [256], unknown 99 [5], cube F32 [1,
  /// 1, 2].
  private static GgufBytes tensors() {
    GgufBytes bytes =
        file(5, 0)
            .tensor("matrix", 0, 0, 2, 3)
            .tensor("vector", 1, 32, 2)
            .tensor("listed", 21, 64, 256, 1)
            .tensor("unknown", 99, 192, 5, 1)
            .tensor("cube", 0, 224, 1, 1, 2)
            .pad(32);
    for (int i = 0; i < 6; i++) {
      bytes.f32(i);
    }
    return bytes.zeros(8).u16(0x3c00).u16(0xc000).zeros(28 + 160).f32(7).f32(8);
  }

  @Test
  void dataOfTensors() throws IOException {
    GgufFile f = open(tensors());
    try (f;
        Arena arena = Arena.ofShared()) {
      WeightMatrix matrix = f.weights(f.tensor("matrix"), arena);
      assertEquals(BlockFormat.F32, matrix.format());
      assertEquals(3, matrix.outputs());
      assertEquals(2, matrix.inputs());
      assertArrayEquals(new float[] {1, -2}, f.vector(f.tensor("vector")));
      f.close(); // what is mapped stays
      assertArrayEquals(
          new float[] {0, 1, 2, 3, 4, 5}, matrix.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
      assertTrue(matrix.data().isReadOnly());
    }
  }

  @Test
  void tensorsOfTypesThatNoKernelTakesAreListedAndRefused() throws IOException {
    try (GgufFile f = open(tensors());
        Arena arena = Arena.ofConfined()) {
      String formats =
          "F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, IQ4_NL, BF16, MXFP4";
      assertEquals(5, f.tensors().size());
      assertEquals("'unknown' unknown (ggml type id 99)[5, 1]", f.tensor("unknown").toString());
      assertEquals(GgufTensor.UNKNOWN_SIZE, f.tensor("unknown").byteSize());
      assertEquals(110, f.map(f.tensor("listed"), arena).byteSize());
      assertFails(
          "m.gguf: byte 320, tensor 'listed' IQ3_S (ggml type id 21)[256, 1]: weights of a type that no kernel takes, expected one of "
              + formats
              + ": use the model in another quantization",
          () -> f.weights(f.tensor("listed"), arena));
      assertFails(
          "m.gguf: byte 448, tensor 'unknown' unknown (ggml type id 99)[5, 1]: its type's block size is unknown, expected a type of known size",
          () -> f.map(f.tensor("unknown"), arena));
      assertFails(
          "m.gguf: byte 480, tensor 'cube' F32[1, 1, 2]: its shape, expected two dimensions below 2^31",
          () -> f.weights(f.tensor("cube"), arena));
      assertFails(
          "m.gguf: byte 256, tensor 'matrix' F32[2, 3]: its shape, expected one dimension below 2^31 - 8",
          () -> f.vector(f.tensor("matrix")));
      assertFails(
          "m.gguf: tensor 'none': missing among the model's 5 tensors, expected it: the file is not a complete model of this kind",
          () -> f.tensor("none"));
    }
  }

  @Test
  void aQuantizedVectorIsRefused() throws IOException {
    try (GgufFile f = open(file(1, 0).tensor("t", 2, 0, 32).pad(32).zeros(18))) {
      assertFails(
          "m.gguf: byte 64, tensor 't' Q4_0[32]: its type, expected F32, F16 or BF16",
          () -> f.vector(f.tensor("t")));
    }
  }

  /// A dimension may exceed an int where the file is as long: here a sparse one.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void dimensionsBeyondAnIntAreRefused(boolean rows) throws IOException {
    long large = 1L << 31;
    GgufBytes head = file(1, 0).tensor("t", 1, 0, rows ? 1 : large, rows ? large : 1).pad(32);
    try (FileChannel sparse =
        FileChannel.open(
            Files.write(folder.resolve("m.gguf"), head.bytes()), StandardOpenOption.WRITE)) {
      sparse.write(ByteBuffer.wrap(new byte[1]), head.size() + 2 * large - 1);
    }
    try (GgufFile f = GgufFile.open(folder.resolve("m.gguf"));
        Arena arena = Arena.ofConfined()) {
      assertDecisive(
          "its shape, expected two dimensions below 2^31", () -> f.weights(f.tensor("t"), arena));
    }
  }

  @Test
  void aFileThatShrankIsNoticedWhenItIsMapped() throws IOException {
    try (GgufFile f = open(tensors());
        Arena arena = Arena.ofConfined()) {
      try (FileChannel channel =
          FileChannel.open(folder.resolve("m.gguf"), StandardOpenOption.WRITE)) {
        channel.truncate(385);
      }
      assertFails(
          "m.gguf: byte 480, tensor 'cube' F32[1, 1, 2]: the file has shrunk to 385 bytes, expected it unchanged since it was opened: open the model again",
          () -> f.map(f.tensor("cube"), arena));
    }
  }

  /// Metadata that changes after it was checked is checked again where it is decoded.
  @Test
  void aFileThatChangesDoesNotReadOutsideItsMapping() throws IOException {
    GgufBytes bytes = file(0, 1).array("k", GgufType.STRING, 1).u64(1).text("a");
    try (GgufFile f = open(bytes)) {
      try (FileChannel channel =
          FileChannel.open(folder.resolve("m.gguf"), StandardOpenOption.WRITE)) {
        channel.write(ByteBuffer.wrap(new byte[] {99}), bytes.size() - 9);
      }
      assertDecisive(
          "string length 99, expected at most 1, since 1 bytes remain: the file is cut short or damaged, get it again",
          () -> f.metadata().strings("k"));
    }
  }

  @Test
  void closedAndForeignFilesAreMisuse() throws IOException {
    GgufFile f = open(everyType());
    f.close();
    f.close(); // harmless
    assertTrue(
        assertThrows(IllegalStateException.class, () -> f.metadata().string("text"))
            .getMessage()
            .endsWith("read metadata before GgufFile.close()"));
    try (GgufFile other = open(tensors());
        Arena arena = Arena.ofConfined()) {
      GgufTensor foreign = other.tensor("matrix").at(1);
      assertThrows(IllegalArgumentException.class, () -> other.map(foreign, arena));
    }
  }

  @Test
  void whatIsNoFileIsSaidSo() {
    assertFails(
        "none.gguf: no such file, expected a GGUF file",
        () -> GgufFile.open(folder.resolve("none.gguf")));
    assertDecisive("not a regular file, expected a GGUF file", () -> GgufFile.open(folder));
  }

  @Test
  void everySupportedTypeHasTheSizeOfItsFormat() {
    int supported = 0;
    for (int id = -1; id < 50; id++) {
      GgmlType type = GgmlType.of(id);
      assertEquals(id, type.id());
      if (type.format().isPresent()) {
        supported++;
        assertEquals(type.format().get().blockElements(), type.blockElements(), type.name());
        assertEquals(type.format().get().blockBytes(), type.blockBytes(), type.name());
        assertEquals(type, GgmlType.of(type.format().get()));
      }
    }
    assertEquals(15, supported);
    assertThrows(IllegalArgumentException.class, () -> GgmlType.of(BlockFormat.INT8_C));
    assertEquals("unknown (ggml type id 4294967295)", GgmlType.of(-1).toString());
  }
}

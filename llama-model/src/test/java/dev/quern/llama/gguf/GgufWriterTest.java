package dev.quern.llama.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/// The bytes that are written, and what the writer refuses.
class GgufWriterTest {
  @TempDir Path folder;

  private Path file() {
    return folder.resolve("w.gguf");
  }

  /// Against bytes laid out by hand, so that writer and reader cannot be wrong together.
  @Test
  void writesTheFormatByteForByte() throws IOException {
    try (GgufWriter writer = GgufWriter.create(file(), 16)) {
      writer
          .string("s", "h\u00e9")
          .bool("b", true)
          .uint32("u", 4_000_000_000L)
          .integer("i", GgufType.INT8, -2)
          .float32("f", 1.5f)
          .float64("d", 2.5)
          .strings("ss", List.of("", "x"))
          .ints("is", new int[] {-1, 2})
          .floats("fs", new float[] {3})
          .tensor("one", BlockFormat.Q4_0, 32, 2)
          .tensor("two", BlockFormat.F32, 1);
      byte[] one = new byte[36];
      Arrays.fill(one, (byte) 1);
      writer.data("one", MemorySegment.ofArray(one).asSlice(0, 30));
      writer.data("one", MemorySegment.ofArray(one).asSlice(30));
      writer.data("two", MemorySegment.ofArray(new byte[] {2, 2, 2, 2}));
      writer.finish();
    }
    GgufBytes expected =
        GgufBytes.file(2, 10)
            .entry("general.alignment", GgufType.UINT32)
            .u32(16)
            .entry("s", GgufType.STRING)
            .string("h\u00e9")
            .entry("b", GgufType.BOOL)
            .u8(1)
            .entry("u", GgufType.UINT32)
            .u32(4_000_000_000L)
            .entry("i", GgufType.INT8)
            .u8(-2)
            .entry("f", GgufType.FLOAT32)
            .f32(1.5f)
            .entry("d", GgufType.FLOAT64)
            .f64(2.5)
            .array("ss", GgufType.STRING, 2)
            .string("")
            .string("x")
            .array("is", GgufType.INT32, 2)
            .u32(-1)
            .u32(2)
            .array("fs", GgufType.FLOAT32, 1)
            .f32(3)
            .tensor("one", 2, 0, 32, 2)
            .tensor("two", 0, 48, 1)
            .pad(16);
    byte[] one = new byte[48];
    Arrays.fill(one, 0, 36, (byte) 1);
    expected.raw(one).raw(new byte[] {2, 2, 2, 2}).zeros(12);
    assertArrayEquals(expected.bytes(), Files.readAllBytes(file()));
    assertEquals(List.of(file()), list());
  }

  @Test
  void dataFromNativeMemoryLargerThanAPiece() throws IOException {
    int count = (1 << 20) / Float.BYTES * 2 + 5;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(ValueLayout.JAVA_FLOAT, count);
      for (int i = 0; i < count; i++) {
        data.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
      }
      try (GgufWriter writer = GgufWriter.create(file()).tensor("t", BlockFormat.F32, count)) {
        writer.data("t", data);
        writer.finish();
      }
      try (GgufFile file = GgufFile.open(file())) {
        assertArrayEquals(data.toArray(ValueLayout.JAVA_FLOAT), file.vector(file.tensor("t")));
      }
    }
  }

  @Test
  void anUnfinishedFileLeavesNothingAndKeepsWhatWasThere() throws IOException {
    Files.writeString(file(), "before");
    try (GgufWriter writer = GgufWriter.create(file()).tensor("t", BlockFormat.F32, 2)) {
      writer.data("t", MemorySegment.ofArray(new byte[4]));
      assertMisuse(
          IllegalStateException.class,
          "w.gguf: tensor 't': 4 bytes of data, expected 8 before the file is finished",
          writer::finish);
    }
    assertEquals("before", Files.readString(file()));
    assertEquals(List.of(file()), list());
  }

  @Test
  void misuse() throws IOException {
    Class<IllegalArgumentException> argument = IllegalArgumentException.class;
    assertThrows(argument, () -> GgufWriter.create(file(), 48));
    try (GgufWriter w = GgufWriter.create(file())) {
      MemorySegment four = MemorySegment.ofArray(new byte[4]);
      w.uint32("k", 1);
      assertMisuse(
          argument,
          "w.gguf: metadata key 'k': added twice, expected once",
          () -> w.bool("k", true));
      assertMisuse(
          argument,
          "w.gguf: metadata key '': 0 bytes, expected 1 to 65535",
          () -> w.bool("", true));
      assertMisuse(
          argument,
          "w.gguf: metadata key 'n': -1 as uint32, expected it to fit",
          () -> w.uint32("n", -1));
      assertMisuse(
          argument,
          "w.gguf: metadata key 'n': 1 as string, expected it to fit",
          () -> w.integer("n", GgufType.STRING, 1));
      assertMisuse(
          argument,
          "w.gguf: metadata key 'general.alignment': 64, expected 32, as given to create()",
          () -> w.uint32("general.alignment", 64));
      assertMisuse(
          argument,
          "string '\\ud800': an unpaired surrogate, expected well-formed text",
          () -> w.string("n", "\ud800"));
      assertMisuse(
          argument,
          "a row of 33 weights, expected a multiple of 32 (type Q8_0)",
          () -> w.tensor("t", BlockFormat.Q8_0, 33));
      assertMisuse(
          argument,
          "w.gguf: tensor 't': [], expected 1 to 4 dimensions of at least 1",
          () -> w.tensor("t", BlockFormat.F32));
      assertMisuse(
          argument,
          "w.gguf: tensor 't': [4, 0], expected 1 to 4 dimensions of at least 1",
          () -> w.tensor("t", BlockFormat.F32, 4, 0));
      assertMisuse(
          argument,
          "w.gguf: tensor '': 0 bytes of name, expected 1 to 64",
          () -> w.tensor("", BlockFormat.F32, 4));
      w.tensor("t", BlockFormat.F32, 1).tensor("u", BlockFormat.F32, 1);
      assertMisuse(
          argument,
          "w.gguf: tensor 't': added twice, expected once",
          () -> w.tensor("t", BlockFormat.F32, 1));
      assertMisuse(
          argument,
          "w.gguf: tensor 'u': data for it, expected that of 't': data comes in the table's order",
          () -> w.data("u", four));
      assertMisuse(
          argument,
          "w.gguf: tensor 't': 5 more bytes, expected at most 4 of 4",
          () -> w.data("t", MemorySegment.ofArray(new byte[5])));
      assertMisuse(
          argument,
          "w.gguf: tensor 't': data in a Java array of another type, expected native memory or a byte[]",
          () -> w.data("t", MemorySegment.ofArray(new float[1])));
      w.data("t", four);
      assertMisuse(
          IllegalStateException.class,
          "w.gguf: metadata key 'late': added after data was written, expected before",
          () -> w.bool("late", true));
      assertMisuse(
          IllegalStateException.class,
          "w.gguf: tensor 'late': added after data was written, expected before",
          () -> w.tensor("late", BlockFormat.F32, 1));
      w.data("u", four);
      assertMisuse(
          argument,
          "w.gguf: tensor 'u': data for it, expected no more: all tensors have theirs",
          () -> w.data("u", four));
      w.finish();
    }
    assertTrue(Files.exists(file()));
  }

  @Test
  void copiesValuesButNotWhatDescribesTheFile() throws IOException {
    GgufBytes source =
        GgufBytes.file(0, 2)
            .array("nested", GgufType.ARRAY, 1)
            .u32(GgufType.STRING.ordinal())
            .u64(1)
            .string("x")
            .entry("split.no", GgufType.UINT16)
            .u16(0);
    Path from = Files.write(folder.resolve("from.gguf"), source.bytes());
    try (GgufFile model = GgufFile.open(from);
        GgufWriter writer = GgufWriter.create(file())) {
      writer.copy(model.metadata(), "nested");
      assertMisuse(
          IllegalArgumentException.class,
          "w.gguf: metadata key 'split.no': it describes the file it comes from, expected one of the model",
          () -> writer.copy(model.metadata(), "split.no"));
      assertThrows(GgufException.class, () -> writer.copy(model.metadata(), "absent"));
      writer.finish();
    }
    byte[] expected =
        GgufBytes.file(0, 1)
            .array("nested", GgufType.ARRAY, 1)
            .u32(GgufType.STRING.ordinal())
            .u64(1)
            .string("x")
            .pad(32)
            .bytes();
    assertArrayEquals(expected, Files.readAllBytes(file()));
    assertEquals(2, list().size(), list().toString());
  }

  private List<Path> list() throws IOException {
    try (var files = Files.list(folder)) {
      return files.toList();
    }
  }

  private void assertMisuse(Class<? extends Exception> type, String message, Executable call) {
    assertEquals(
        message, assertThrows(type, call).getMessage().replace(folder + File.separator, ""));
  }
}

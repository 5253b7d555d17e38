package dev.quern.llama.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Safetensors files and folders that are not what they should be: each is refused in one line.
class HostileSafetensorsTest {
  private static final String W =
      "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}";

  @TempDir Path folder;

  static Stream<Arguments> files() {
    return Stream.of(
        file("an empty file", new byte[0], "0 bytes, expected a safetensors file"),
        file("a file of seven bytes", new byte[7], "7 bytes, expected a safetensors file"),
        file("a header length of 0", length(0), "a header of 0 bytes"),
        file("a header length of 1", length(1), "a header of 1 bytes"),
        file("a header past the end", length(1000), "a header of 1000 bytes"),
        file("a header length of 2^63", length(Long.MIN_VALUE), "9223372036854775808 bytes"),
        file("a header length of 2^64 - 1", length(-1), "18446744073709551615 bytes"),
        file("a GGUF file", "GGUF\3\0\0\0\0\0\0\0\0\0\0\0".getBytes(), "expected 2 to"),
        header("a space before the object", " {" + W + "}", "expected '{'"),
        header("an array", "[1]", "expected '{'"),
        header("an object that does not end", "{" + W, "JSON, byte"),
        header("two objects", "{" + W + "}{}", "something behind the object"),
        header("rubbish behind the object", "{" + W + "}x", "JSON, byte"),
        header("a name twice", "{" + W + "," + W + "}", "Duplicate"),
        header("control characters", "{\"w\n\":1}", "JSON, byte"),
        header("bytes that are no UTF-8", "{\"w\u0000\":1}", "JSON, byte"),
        header("deep nesting", "{\"w\":" + "[".repeat(5000) + "}", "expected an object"),
        header("deep nesting of metadata", meta("[".repeat(5000)), "expected a string"),
        header("metadata that is no string", meta("1"), "expected a string"),
        header("metadata that is no object", "{\"__metadata__\":[]}", "expected an object"),
        header("an entry that is no object", "{\"w\":3}", "expected an object"),
        header("an entry of null", "{\"w\":null}", "expected an object"),
        header("an unknown member", entry("F32", "[6],\"x\":1", "[0,24]"), "expected dtype"),
        header("a member twice", entry("F32", "[6],\"shape\":[6]", "[0,24]"), "Duplicate"),
        header("no dtype", "{\"w\":{\"shape\":[6],\"data_offsets\":[0,24]}}", "incomplete"),
        header("no shape", "{\"w\":{\"dtype\":\"F32\",\"data_offsets\":[0,24]}}", "incomplete"),
        header("no offsets", "{\"w\":{\"dtype\":\"F32\",\"shape\":[6]}}", "incomplete"),
        header("an unknown type", entry("F33", "[6]", "[0,24]"), "'F33', expected one of"),
        header("a type of four bits", entry("F4", "[48]", "[0,24]"), "'F4', expected one of"),
        header("a shape that is no array", entry("F32", "6", "[0,24]"), "expected an array"),
        header("a negative dimension", entry("F32", "[-6]", "[0,24]"), "-6, expected 0 to"),
        header("a dimension of 0", entry("F32", "[0]", "[0,0]"), "dimensions of at least 1"),
        header("a fraction", entry("F32", "[6.5]", "[0,24]"), "expected a count"),
        header("a dimension of 2^64", entry("F32", "[18446744073709551616]", "[0,24]"), "0 to"),
        header(
            "a number of 1,000 digits",
            entry("F32", "[" + "9".repeat(1000) + "]", "[0,24]"),
            "JSON"),
        header("nine dimensions", entry("F32", "[1,1,1,1,1,1,1,1,6]", "[0,24]"), "at most 8"),
        header(
            "a size that overflows",
            entry("F32", "[4611686018427387904,4]", "[0,0]"),
            "below 2^63"),
        header("an offset", entry("F32", "[6]", "[24]"), "1 data_offsets, expected two"),
        header("three offsets", entry("F32", "[6]", "[0,12,24]"), "at most 2"),
        header("an end before the begin", entry("F32", "[6]", "[24,0]"), "a range of the 24"),
        header("an end past the file", entry("F32", "[8]", "[0,32]"), "cut short or damaged"),
        header(
            "an end near 2^63",
            entry("F32", "[6]", "[9223372036854775783,9223372036854775807]"),
            "a range of the 24"),
        header(
            "too little data for the shape",
            entry("F32", "[7]", "[0,24]"),
            "expected 28 for F32[7]"),
        header(
            "too much data for the shape", entry("F16", "[6]", "[0,24]"), "expected 12 for F16[6]"),
        header("a gap at the start", entry("F32", "[5]", "[4,24]"), "no gaps"),
        header(
            "data that nothing names",
            entry("F32", "[5]", "[0,20]"),
            "24 bytes of data, expected 20"),
        header("an overlap", "{" + W + "," + W.replace("\"w\"", "\"v\"") + "}", "no overlaps"));
  }

  static Stream<Arguments> folders() {
    return Stream.of(
        index("an index without shards", "{\"weight_map\":{}}", "names 0 shards"),
        index("an index that is no object", "[]", "expected an object"),
        index("a map of numbers", "{\"weight_map\":{\"w\":1}}", "expected a string"),
        index("a tensor twice", "{\"weight_map\":{\"w\":\"a\",\"w\":\"b\"}}", "Duplicate"),
        index("a shard above", map("w", "../outside.safetensors"), "expected a plain name"),
        index("an absolute shard", map("w", "/etc/passwd"), "expected a plain name"),
        index("a Windows path", map("w", "..\\\\a"), "expected a plain name"),
        index("a dot", map("w", "."), "expected a plain name"),
        index("an empty name", map("w", ""), "expected a plain name"),
        index("a control character", map("w", "a\\u0000b"), "expected a plain name"),
        index("a shard that is missing", map("w", "no.safetensors"), "no such file"),
        index("a folder as shard", map("w", "subfolder"), "not a regular file"),
        index(
            "a link out of the folder", map("w", "link.safetensors"), "outside the model's folder"),
        index(
            "a tensor that no shard has",
            "{\"weight_map\":{\"w\":\"a.safetensors\",\"v\":\"a.safetensors\"}}",
            "'v': absent from"),
        index(
            "a tensor of another shard",
            "{\"weight_map\":{\"w\":\"b.safetensors\",\"v\":\"a.safetensors\"}}",
            "are not of one model"),
        index(
            "deep nesting",
            "{\"metadata\":" + "[".repeat(100) + "]".repeat(100) + "}",
            "JSON, byte"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("files")
  void fileIsRefusedInOneLine(String name, byte[] file, String part) throws IOException {
    Files.write(folder.resolve("model.safetensors"), file);
    refused(folder, part);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("folders")
  void folderIsRefusedInOneLine(String name, String index, String part) throws IOException {
    Path model = Files.createDirectories(folder.resolve("model"));
    byte[] sound = SafetensorsBytes.file("{" + W + "}", new byte[24]);
    Files.write(model.resolve("a.safetensors"), sound);
    Files.write(
        model.resolve("b.safetensors"),
        SafetensorsBytes.file("{" + W.replace("\"w\"", "\"v\"") + "}", new byte[24]));
    Files.write(folder.resolve("outside.safetensors"), sound);
    Files.createSymbolicLink(
        model.resolve("link.safetensors"), folder.resolve("outside.safetensors"));
    Files.createDirectories(model.resolve("subfolder"));
    Files.writeString(model.resolve("model.safetensors.index.json"), index);
    refused(model, part);
  }

  @Test
  void aFolderWithoutAModelOrWithTwoIsRefused() throws IOException {
    refused(folder, "holds no model, expected exactly one of");
    Files.write(folder.resolve("model.safetensors"), new byte[0]);
    Files.write(folder.resolve("consolidated.00.pth"), new byte[0]);
    refused(folder, "model.safetensors and consolidated.00.pth, expected exactly one");
    assertThrows(CheckpointException.class, () -> ModelFolder.open(folder.resolve("absent")));
  }

  /// MLX's tools write an index beside the one file that it names; whatever else it names is of
  /// another model.
  @Test
  void anIndexBesideTheOneFileThatItNamesIsRead() throws IOException {
    Files.write(
        folder.resolve("model.safetensors"), SafetensorsBytes.file("{" + W + "}", new byte[24]));
    Path index = folder.resolve("model.safetensors.index.json");
    Files.writeString(index, "{\"metadata\":{},\"weight_map\":{\"w\":\"model.safetensors\"}}");
    try (TensorStore store = TensorStore.open(ModelFolder.open(folder))) {
      assertEquals(List.of("w"), List.copyOf(store.tensors().keySet()));
    }
    for (String other :
        List.of(
            "\"w\":\"model.safetensors\",\"v\":\"model-2.safetensors\"",
            "\"w\":\"model-00001-of-00001.safetensors\"",
            "\"w\":\"../model.safetensors\"")) {
      Files.writeString(index, "{\"weight_map\":{" + other + "}}");
      refused(folder, "or an index of that file alone");
    }
    Files.writeString(index, "{\"weight_map\":{\"v\":\"model.safetensors\"}}");
    refused(folder, "the shards are not of one model");
    Files.writeString(
        index, "{\"weight_map\":{\"w\":\"model.safetensors\",\"v\":\"model.safetensors\"}}");
    refused(folder, "absent from 'model.safetensors'");
    Files.delete(folder.resolve("model.safetensors"));
    refused(folder, "model.safetensors: no such file");
    Files.writeString(folder.resolve("consolidated.00.pth"), "");
    refused(folder, "model.safetensors.index.json and consolidated.00.pth, expected exactly one");
  }

  @Test
  void soundFilesAndLinksWithinAreRead() throws IOException {
    Path cache = Files.createDirectories(folder.resolve("models--x/snapshots/1"));
    Path blobs = Files.createDirectories(folder.resolve("models--x/blobs"));
    byte[] data = new byte[30];
    String scalar = "\"s\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[28,30]}";
    String last = "\"v\":{\"dtype\":\"BF16\",\"shape\":[1,2],\"data_offsets\":[24,28]}";
    byte[] file =
        SafetensorsBytes.file(
            "{\"__metadata__\":{}," + scalar + "," + last + "," + W + "}  ", data);
    Files.write(blobs.resolve("abc"), file);
    Files.createSymbolicLink(cache.resolve("model.safetensors"), Path.of("../../blobs/abc"));
    try (TensorStore store = TensorStore.open(ModelFolder.open(cache))) {
      StoredTensor w = store.tensors().get("w");
      assertEquals(List.of(2L, 3L), w.shape());
      assertEquals(file.length - 30, w.offset());
      assertEquals(file.length - 6, store.tensors().get("v").offset());
      assertEquals(2, store.tensors().get("s").byteSize());
      assertEquals(List.of(blobs.resolve("abc").toRealPath()), store.files());
    }
  }

  private static void refused(Path folder, String part) {
    CheckpointException refused =
        assertThrows(
            CheckpointException.class, () -> TensorStore.open(ModelFolder.open(folder)).close());
    assertTrue(refused.getMessage().contains(part), refused.getMessage());
    assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
    assertTrue(refused.getMessage().length() < 1000, refused.getMessage());
    assertTrue(refused.getMessage().chars().noneMatch(c -> c < ' '), refused.getMessage());
  }

  private static Arguments file(String name, byte[] file, String part) {
    return Arguments.of(name, file, part);
  }

  private static Arguments header(String name, String header, String part) {
    byte[] file = SafetensorsBytes.file(header, new byte[24]);
    if (header.contains("\u0000")) { // stands for a byte that no UTF-8 has
      file[header.indexOf(0) + 8] = (byte) 0xff;
    }
    return Arguments.of(name, file, part);
  }

  private static Arguments index(String name, String index, String part) {
    return Arguments.of(name, index, part);
  }

  private static String map(String tensor, String shard) {
    return String.format(Locale.ROOT, "{\"weight_map\":{\"%s\":\"%s\"}}", tensor, shard);
  }

  private static String meta(String value) {
    return "{\"__metadata__\":{\"a\":" + value + "}}";
  }

  private static String entry(String type, String shape, String offsets) {
    return String.format(
        Locale.ROOT,
        "{\"w\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}",
        type,
        shape,
        offsets);
  }

  private static byte[] length(long headerBytes) {
    return ByteBuffer.allocate(100)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(headerBytes)
        .put("{}".getBytes())
        .array();
  }
}

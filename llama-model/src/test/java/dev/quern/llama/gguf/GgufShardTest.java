package dev.quern.llama.gguf;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Models in several files, whole and not.
class GgufShardTest {
  @TempDir Path folder;

  @BeforeEach
  void threeShards() throws IOException {
    write("m-00001-of-00003.gguf", shard(0, 3, 2));
    write("m-00002-of-00003.gguf", shard(1, 3, 2).tensor("b", 0, 0, 2).pad(32).f32(1).f32(2));
    write("m-00003-of-00003.gguf", shard(2, 3, 2).tensor("c", 0, 0, 1).pad(32).f32(3));
  }

  /// All but the tensors: the first shard has none, the others one each.
  private static GgufBytes shard(int number, int count, int tensors) {
    return GgufBytes.file(number == 0 ? 0 : 1, number == 0 ? 4 : 3)
        .raw( // the first shard has the model's metadata too
            number == 0
                ? new GgufBytes().entry("general.name", GgufType.STRING).string("m").bytes()
                : new byte[0])
        .entry("split.no", GgufType.UINT16)
        .u16(number)
        .entry("split.count", GgufType.UINT16)
        .u16(count)
        .entry("split.tensors.count", GgufType.INT32)
        .u32(tensors);
  }

  private void write(String name, GgufBytes bytes) throws IOException {
    Files.write(folder.resolve(name), bytes.bytes());
  }

  private void assertFails(String file, String message) {
    String actual =
        assertThrows(GgufException.class, () -> GgufFile.open(folder.resolve(file))).getMessage();
    assertEquals(message, actual.replace(folder + File.separator, ""));
  }

  @Test
  void openingTheFirstOpensAll() throws IOException {
    try (GgufFile model = GgufFile.open(folder.resolve("m-00001-of-00003.gguf"))) {
      assertEquals(3, model.files().size());
      assertEquals(Optional.of("m"), model.metadata().string("general.name"));
      assertEquals(List.of("b", "c"), model.tensors().stream().map(GgufTensor::name).toList());
      assertEquals(2, model.tensor("c").shard());
      assertArrayEquals(new float[] {1, 2}, model.vector(model.tensor("b")));
      assertArrayEquals(new float[] {3}, model.vector(model.tensor("c")));
    }
  }

  @Test
  void aShardByItselfIsNoModel() {
    assertFails(
        "m-00002-of-00003.gguf",
        "m-00002-of-00003.gguf: file name: shard 00002 of 00003, expected shard 1 of 3: open m-00001-of-00003.gguf");
  }

  @Test
  void missing() throws IOException {
    Files.delete(folder.resolve("m-00003-of-00003.gguf"));
    assertFails(
        "m-00001-of-00003.gguf",
        "m-00003-of-00003.gguf: shard 3 of 3: missing, expected it beside the first: get it from where that one came");
  }

  @Test
  void renamed() throws IOException {
    Files.move(folder.resolve("m-00001-of-00003.gguf"), folder.resolve("model.gguf"));
    assertFails(
        "model.gguf",
        "model.gguf: byte 102, metadata key 'split.count': 3 shards, expected a file named NAME-00001-of-00003.gguf: give the shards their names back");
  }

  @Test
  void renamedAmongEachOther() throws IOException {
    Files.move(
        folder.resolve("m-00003-of-00003.gguf"),
        folder.resolve("m-00002-of-00003.gguf"),
        REPLACE_EXISTING);
    Files.copy(folder.resolve("m-00002-of-00003.gguf"), folder.resolve("m-00003-of-00003.gguf"));
    assertFails(
        "m-00001-of-00003.gguf",
        "m-00002-of-00003.gguf: byte 44, metadata key 'split.no': 2, expected 1: the shards are not of one model, or one was renamed");
  }

  @Test
  void theFirstIsAnother() throws IOException {
    Files.copy(
        folder.resolve("m-00002-of-00003.gguf"),
        folder.resolve("m-00001-of-00003.gguf"),
        REPLACE_EXISTING);
    assertFails(
        "m-00001-of-00003.gguf",
        "m-00001-of-00003.gguf: byte 44, metadata key 'split.no': 1, expected 0: the shards are not of one model, or one was renamed");
  }

  @Test
  void ofAnotherSplit() throws IOException {
    write("m-00003-of-00003.gguf", shard(2, 4, 2).tensor("c", 0, 0, 1).pad(32).f32(3));
    assertFails(
        "m-00001-of-00003.gguf",
        "m-00003-of-00003.gguf: byte 69, metadata key 'split.count': 4, expected 3: the shards are not of one model, or one was renamed");
  }

  @Test
  void tensorsMissing() throws IOException {
    write("m-00001-of-00003.gguf", shard(0, 3, 5));
    assertFails(
        "m-00001-of-00003.gguf",
        "m-00001-of-00003.gguf: byte 135, metadata key 'split.tensors.count': 5, expected 2: the shards are not of one model, or one was renamed");
  }

  @Test
  void tensorTwice() throws IOException {
    write("m-00003-of-00003.gguf", shard(2, 3, 2).tensor("b", 0, 0, 1).pad(32).f32(3));
    assertFails(
        "m-00001-of-00003.gguf",
        "m-00003-of-00003.gguf: byte 160, tensor 'b' F32[1]: also in m-00002-of-00003.gguf, expected each tensor in one shard of the model");
  }

  @Test
  void notAShard() throws IOException {
    write("m-00002-of-00003.gguf", GgufBytes.file(0, 0));
    assertFails(
        "m-00001-of-00003.gguf",
        "m-00002-of-00003.gguf: metadata key 'split.no': absent, expected 1: not a shard of this model");
  }

  @Test
  void damaged() throws IOException {
    write("m-00003-of-00003.gguf", new GgufBytes().text("GGUF"));
    assertFails(
        "m-00001-of-00003.gguf",
        "m-00003-of-00003.gguf: byte 4, header: version needs 4 bytes, 0 remain, expected a longer file: the file is cut short or damaged, get it again");
  }

  @Test
  void moreShardsThanNamesCanCount() throws IOException {
    write("huge.gguf", GgufBytes.file(0, 1).entry("split.count", GgufType.UINT32).u32(-1));
    assertFails(
        "huge.gguf",
        "huge.gguf: byte 47, metadata key 'split.count': 4294967295 shards, expected at most 99999");
  }

  @Test
  void oneShardIsAnOrdinaryFile() throws IOException {
    write("any.gguf", GgufBytes.file(0, 1).entry("split.count", GgufType.UINT16).u16(1));
    try (GgufFile model = GgufFile.open(folder.resolve("any.gguf"))) {
      assertEquals(1, model.files().size());
    }
  }
}

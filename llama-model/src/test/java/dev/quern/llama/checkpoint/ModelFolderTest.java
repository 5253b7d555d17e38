package dev.quern.llama.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Links of Hugging Face's cache, and links that are none.
class ModelFolderTest {
  private static final String FILE = "model.safetensors";

  @TempDir Path temp;
  private Path cache;
  private Path repository;
  private Path snapshot;

  @BeforeEach
  void layOut() throws IOException {
    cache = Files.createDirectories(temp.toRealPath().resolve("hub"));
    repository = Files.createDirectories(cache.resolve("models--x--y"));
    snapshot = Files.createDirectories(repository.resolve("snapshots/0123"));
    Files.createDirectories(repository.resolve("blobs"));
    Files.createDirectories(cache.resolve("blobs/ab"));
    Files.writeString(temp.resolve("secret"), "s");
  }

  @Test
  void aModelIsCalledAsItsFileIs() {
    assertEquals("a.b", Checkpoint.nameOf(Path.of("folder/a.b.gguf")));
    assertEquals("A", Checkpoint.nameOf(Path.of("A.GGUF")));
    assertEquals("model", Checkpoint.nameOf(Path.of("/x/model/.")));
    Path root = Path.of("/").toAbsolutePath().getRoot();
    assertEquals(root.toString(), Checkpoint.nameOf(root));
  }

  @Test
  void blobsOfTheRepository() throws IOException {
    Path blob = Files.writeString(repository.resolve("blobs/etag"), "x");
    link(snapshot.resolve(FILE), "../../blobs/etag");
    assertEquals(blob, open(snapshot));
  }

  @Test
  void blobsThatRepositoriesShare() throws IOException {
    Path blob = Files.writeString(cache.resolve("blobs/ab/hash"), "x");
    link(repository.resolve("blobs/etag"), "../../blobs/ab/hash");
    link(snapshot.resolve(FILE), "../../blobs/etag");
    assertEquals(blob, open(snapshot));
    assertEquals(blob, open(Files.createSymbolicLink(temp.resolve("alias"), snapshot)));
    Files.delete(snapshot.resolve(FILE));
    link(snapshot.resolve(FILE), "../../../blobs/ab/hash");
    assertEquals(blob, open(snapshot));
    Files.delete(snapshot.resolve(FILE));
    Files.createSymbolicLink(snapshot.resolve(FILE), blob); // absolute
    assertEquals(blob, open(snapshot));
  }

  @Test
  void aFolderWithinASnapshot() throws IOException {
    Path blob = Files.writeString(repository.resolve("blobs/etag"), "x");
    Path original = Files.createDirectories(snapshot.resolve("original"));
    link(original.resolve(FILE), "../../../blobs/etag");
    assertEquals(blob, open(original));
  }

  @Test
  void everyStepMustStayInTheCache() throws IOException {
    // There and back again: the last step is sound, the one before is not.
    Files.writeString(repository.resolve("blobs/etag"), "x");
    link(temp.resolve("outside"), repository.resolve("blobs/etag").toString());
    link(snapshot.resolve(FILE), temp.resolve("outside").toString());
    refused(snapshot, "outside the model's folder");
    again(snapshot.resolve(FILE), "../../../../secret");
    refused(snapshot, "outside the model's folder");
    link(repository.resolve("blobs/evil"), "../../../secret");
    again(snapshot.resolve(FILE), "../../blobs/evil");
    refused(snapshot, "outside the model's folder");
    again(snapshot.resolve(FILE), "../../refs");
    Files.writeString(repository.resolve("refs"), "x");
    refused(snapshot, "outside the model's folder");
    // A folder of the cache that is a link itself.
    Files.createDirectories(temp.resolve("elsewhere"));
    Files.writeString(temp.resolve("elsewhere/hash"), "x");
    Files.createSymbolicLink(cache.resolve("blobs/cd"), temp.resolve("elsewhere"));
    again(snapshot.resolve(FILE), "../../../blobs/cd/hash");
    refused(snapshot, "outside the model's folder");
  }

  @Test
  void anotherFoldersBlobsAreNoCache() throws IOException {
    Path folder = Files.createDirectories(temp.resolve("plain/model"));
    Files.createDirectories(temp.resolve("plain/blobs"));
    Files.writeString(temp.resolve("plain/blobs/x"), "x");
    link(folder.resolve(FILE), "../blobs/x");
    refused(folder, "outside the model's folder");
    // Snapshots of something that is no repository: no shared blobs.
    Path other = Files.createDirectories(temp.resolve("some/thing/snapshots/1"));
    Files.createDirectories(temp.resolve("some/blobs"));
    Files.writeString(temp.resolve("some/blobs/x"), "x");
    link(other.resolve(FILE), "../../../blobs/x");
    refused(other, "outside the model's folder");
  }

  @Test
  void linksWithoutAnEnd() throws IOException {
    link(snapshot.resolve(FILE), FILE);
    refused(snapshot, "no such file");
    again(snapshot.resolve(FILE), "../../blobs/gone");
    refused(snapshot, "no such file");
    Files.writeString(snapshot.resolve("end"), "x");
    for (int i = 0; i < 12; i++) {
      link(snapshot.resolve("l" + i), i == 0 ? "end" : "l" + (i - 1));
    }
    again(snapshot.resolve(FILE), "l11");
    refused(snapshot, "more than 8 links");
    again(snapshot.resolve(FILE), ".");
    refused(snapshot, "not a regular file");
  }

  private static void again(Path link, String target) throws IOException {
    Files.delete(link);
    link(link, target);
  }

  private static void link(Path link, String target) throws IOException {
    Files.createSymbolicLink(link, Path.of(target));
  }

  private static Path open(Path folder) throws IOException {
    return ModelFolder.open(folder).file(FILE);
  }

  private static void refused(Path folder, String part) {
    String message = assertThrows(CheckpointException.class, () -> open(folder)).getMessage();
    assertTrue(message.contains(part), message);
  }
}

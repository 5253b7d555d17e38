package dev.quern.cli.dialogue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where the history lies, and who may read it.
class HistoryFileTest {
  @TempDir Path folder;

  @Test
  void itLiesInTheUsersState() {
    Optional<Path> own = Optional.of(Path.of("/s/quern/chat-history"));
    assertEquals(own, HistoryFile.path(Map.of("XDG_STATE_HOME", "/s", "HOME", "/h")::get));
    Optional<Path> home = Optional.of(Path.of("/h/.local/state/quern/chat-history"));
    assertEquals(home, HistoryFile.path(Map.of("HOME", "/h")::get));
    assertEquals(home, HistoryFile.path(Map.of("XDG_STATE_HOME", "s", "HOME", "/h")::get));
    assertEquals(Optional.empty(), HistoryFile.path(Map.of("HOME", "")::get));
    assertEquals(Optional.empty(), HistoryFile.path(Map.<String, String>of()::get));
  }

  @Test
  void nobodyElseReadsIt() throws IOException {
    boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    assumeTrue(posix, "no permissions here: who may read the history is not tested");
    Path file = folder.resolve("a/b/history");
    HistoryFile.makePrivate(file);
    assertEquals("rw-------", permissions(file));
    assertEquals("rwx------", permissions(file.getParent()));
    assertEquals("rwx------", permissions(folder.resolve("a")));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    HistoryFile.makePrivate(file);
    assertEquals("rw-------", permissions(file), "also where it was otherwise");
    assertThrows(IOException.class, () -> HistoryFile.makePrivate(folder.resolve("a/b")));
  }

  private static String permissions(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }
}

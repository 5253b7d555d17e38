package dev.quern.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import dev.quern.testing.Signals;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NewFileTest {
  private static final byte[] BYTES = {1, 2, 3};

  @TempDir Path folder;

  @Test
  void aFileGetsItsNameWholeAndNoOtherFileIsTouched() throws IOException {
    Path target = folder.resolve("out.gguf");
    Path likeAPart = Files.writeString(folder.resolve("out.gguf.part"), "an input of that name");
    try (NewFile file = NewFile.open(target, false)) {
      file.write(ByteBuffer.wrap(BYTES));
      assertFalse(Files.exists(target));
      assertEquals(2, list().size(), list().toString());
      file.finish();
    }
    assertArrayEquals(BYTES, Files.readAllBytes(target));
    assertEquals("an input of that name", Files.readString(likeAPart));
    assertEquals(2, list().size(), list().toString());
  }

  @Test
  void withoutFinishNothingIsLeftAndTheOldFileStays() throws IOException {
    Path target = Files.writeString(folder.resolve("out"), "old");
    try (NewFile file = NewFile.open(target, true)) {
      file.write(ByteBuffer.wrap(BYTES));
    }
    assertEquals("old", Files.readString(target));
    assertEquals(List.of("out"), list());
  }

  /// The name is a part's: `open` must not write through a link that waits there. No link can,
  /// since names can't be foreseen; here one that is as near as it gets.
  @Test
  void partsHaveOtherNamesEachTime() throws IOException {
    Path target = folder.resolve("out");
    String first;
    try (NewFile _ = NewFile.open(target, true)) {
      first = list().getFirst();
      assertTrue(first.matches("out\\.[0-9a-f]{16}\\.part"), first);
    }
    try (NewFile _ = NewFile.open(target, true)) {
      assertFalse(list().contains(first));
    }
  }

  @Test
  void linksAreRefusedAndWhatTheyLeadToIsKept() throws IOException {
    Path precious = Files.writeString(folder.resolve("precious"), "precious");
    Path link = Files.createSymbolicLink(folder.resolve("link"), precious);
    Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), folder.resolve("nothing"));
    Path toDevice = Files.createSymbolicLink(folder.resolve("null"), Path.of("/dev/null"));
    for (Path target : List.of(link, dangling, toDevice)) {
      assertTrue(refusal(target).contains(target + " is a symbolic link to "), refusal(target));
      assertTrue(Files.isSymbolicLink(target));
    }
    assertEquals("precious", Files.readString(precious));
    Path throughFolder =
        Files.createSymbolicLink(
                folder.resolve("models"), Files.createDirectory(folder.resolve("m")))
            .resolve("out");
    NewFile.write(throughFolder, BYTES); // a linked folder is a place like any other
    assertArrayEquals(BYTES, Files.readAllBytes(folder.resolve("m/out")));
  }

  @Test
  void foldersDevicesAndPipesAreRefused() throws Exception {
    assertTrue(refusal(folder).endsWith("is a folder, expected a regular file or nothing"));
    assertTrue(refusal(Path.of("")).contains("expected the name of a file"));
    assertTrue(refusal(Path.of("/")).contains("expected the name of a file"));
    assertTrue(refusal(folder.resolve("absent/out")).contains("no folder "));
    Path device = Path.of("/dev/null");
    if (!Files.exists(device)) {
      abort("no /dev/null here: devices were left out");
    }
    assertTrue(
        refusal(device)
            .endsWith("is a device, pipe or socket, expected a regular file or nothing"));
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    assertTrue(refusal(pipe).contains("is a device, pipe or socket"), refusal(pipe));
  }

  @Test
  void whatAppearsMeanwhileIsNotReplacedUnlessItMayBe() throws IOException {
    Path target = folder.resolve("out");
    try (NewFile file = NewFile.open(target, false)) {
      Files.writeString(target, "another's");
      OutputException e = assertThrows(OutputException.class, file::finish);
      assertEquals(target + " exists, expected no such file", e.getMessage());
    }
    assertEquals("another's", Files.readString(target));
    try (NewFile file = NewFile.open(target, true)) {
      Files.delete(target);
      Files.createSymbolicLink(target, Files.writeString(folder.resolve("x"), "precious"));
      assertThrows(OutputException.class, file::finish);
    }
    assertEquals("precious", Files.readString(folder.resolve("x")));
    assertEquals(List.of("out", "x"), list());
  }

  @Test
  void namesOfTheFileSystemsFullLengthWork() throws IOException {
    Path longest = folder.resolve("x".repeat(255));
    NewFile.write(longest, BYTES);
    assertArrayEquals(BYTES, Files.readAllBytes(longest));
    Path umlauts = folder.resolve("\u00e4".repeat(127));
    NewFile.write(umlauts, BYTES);
    assertArrayEquals(BYTES, Files.readAllBytes(umlauts));
    String tooLong = refusal(folder.resolve("x".repeat(256)));
    assertTrue(tooLong.endsWith("can't be written: File name too long"), tooLong);
    assertEquals(2, list().size());
  }

  @Test
  void permissionsAreAnOrdinaryFilesOrThoseOfTheReplacedOne() throws IOException {
    if (!FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
      abort("no POSIX permissions here");
    }
    Path ordinary = Files.createFile(folder.resolve("ordinary"));
    Path target = folder.resolve("out");
    NewFile.write(target, BYTES);
    assertEquals(Files.getPosixFilePermissions(ordinary), Files.getPosixFilePermissions(target));
    for (String kept : List.of("rw-------", "rw-rw-rw-", "r--r-----")) {
      Files.setPosixFilePermissions(target, PosixFilePermissions.fromString(kept));
      try (NewFile file = NewFile.open(target, true)) {
        Path part =
            folder.resolve(
                list().stream().filter(n -> n.endsWith(".part")).findFirst().orElseThrow());
        assertEquals(kept, PosixFilePermissions.toString(Files.getPosixFilePermissions(part)));
        file.write(ByteBuffer.wrap(BYTES));
        file.finish();
      }
      assertEquals(kept, PosixFilePermissions.toString(Files.getPosixFilePermissions(target)));
    }
  }

  @Test
  void aSecondWriterIsRefusedAndTheFirstGoesOn() throws IOException {
    Path target = folder.resolve("out");
    try (NewFile first = NewFile.open(target, true)) {
      first.write(ByteBuffer.wrap(BYTES));
      String refusal = refusal(target);
      assertTrue(refusal.startsWith(target + ": another process is writing it (out."), refusal);
      NewFile.write(folder.resolve("out2"), BYTES);
      first.finish();
    }
    assertArrayEquals(BYTES, Files.readAllBytes(target));
    assertEquals(List.of("out", "out2"), list());
  }

  @Test
  void whatAKilledProcessLeftIsNeitherUsedNorInTheWay() throws IOException {
    Path left = Files.writeString(folder.resolve("out.0123456789abcdef.part"), "half");
    NewFile.write(folder.resolve("out"), BYTES);
    assertEquals("half", Files.readString(left));
    assertArrayEquals(BYTES, Files.readAllBytes(folder.resolve("out")));
  }

  @Test
  void anotherProcessIsSeenAndASignalLeavesNothing() throws Exception {
    Path target = Files.writeString(folder.resolve("out"), "old");
    for (String signal : Signals.heard("TERM", "INT", "HUP")) {
      Process child = child(target);
      try {
        assertEquals('w', child.getInputStream().read()); // it is writing
        assertTrue(refusal(target).contains("another process is writing it"), refusal(target));
        new ProcessBuilder("kill", "-" + signal, Long.toString(child.pid())).start().waitFor();
        assertTrue(child.waitFor(1, TimeUnit.MINUTES), "it goes on after SIG" + signal);
        assertTrue(child.exitValue() > 128, signal + ": " + child.exitValue());
      } finally {
        child.destroyForcibly();
      }
      assertEquals(List.of("out"), list(), signal);
      assertEquals("old", Files.readString(target));
    }
  }

  @Test
  void aKilledProcessLeavesAPartThatNobodyMistakesForTheFile() throws Exception {
    Path target = folder.resolve("out");
    Process child = child(target);
    assertEquals('w', child.getInputStream().read());
    child.destroyForcibly().waitFor();
    assertEquals(1, list().size());
    assertTrue(list().getFirst().endsWith(".part"));
    NewFile.write(target, BYTES);
    assertArrayEquals(BYTES, Files.readAllBytes(target));
  }

  private static Process child(Path target) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Endless.class.getName(),
            target.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /// Writes a file and never finishes.
  static final class Endless {
    public static void main(String[] args) throws Exception {
      try (NewFile file = NewFile.open(Path.of(args[0]), true)) {
        file.write(ByteBuffer.wrap(BYTES));
        System.out.print('w');
        System.out.flush();
        Thread.sleep(TimeUnit.MINUTES.toMillis(2));
      }
    }
  }

  /// What `open` says; nothing may come of it.
  private static String refusal(Path target) {
    String message =
        assertThrows(OutputException.class, () -> NewFile.open(target, true).close()).getMessage();
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  private List<String> list() throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }
}

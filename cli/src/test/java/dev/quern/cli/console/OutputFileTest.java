package dev.quern.cli.console;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.cli.Quern;
import dev.quern.demo.DemoModelFile;
import dev.quern.llama.HuggingFaceFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What commands may write to, and what not.
class OutputFileTest {
  @TempDir Path folder;
  private Path demo;
  private Path text;

  @BeforeEach
  void copyDemo() throws IOException {
    demo = folder.resolve("demo.gguf");
    try (var in = DemoModelFile.open()) {
      Files.copy(in, demo);
    }
    text = Files.writeString(folder.resolve("text.txt"), "Once upon a time. ".repeat(20));
  }

  @Test
  void noCommandReplacesWhatItReadsByWhateverName() throws IOException {
    Path hardLink = Files.createLink(folder.resolve("hard.gguf"), demo);
    Path link = Files.createSymbolicLink(folder.resolve("link.gguf"), demo);
    Path spelling = Files.createDirectory(folder.resolve("sub")).resolve("../demo.gguf");
    byte[] before = Files.readAllBytes(demo);
    for (Path out : List.of(demo, hardLink, link, spelling)) {
      for (List<Object> command :
          List.<List<Object>>of(
              List.of("quantize", "--in", demo, "--scheme", "q8_0", "--force", "--out", out),
              List.of("run", "--model", demo, "--prompt", "x", "--stats-json", out),
              List.of("bench", "--model", demo, "--json", out),
              List.of("bench", "--model", demo, "--depth", "0,8", "--html", out),
              List.of("perplexity", "--model", demo, "--text", text, "--json", out),
              List.of("perplexity", "--text", text, "--against", demo, "--json", out))) {
        refused(command, "part of the model itself");
      }
    }
    refused(List.of("perplexity", "--text", text, "--json", text), "is read");
    assertArrayEquals(before, Files.readAllBytes(demo));
    assertTrue(Files.isSymbolicLink(link));
  }

  @Test
  void noFileOfAModelsFolderAndNoShardIsReplaced() throws IOException {
    Path model = HuggingFaceFolder.write(demo, folder.resolve("model"), 3);
    List<Path> files;
    try (var list = Files.list(model)) {
      files = list.toList();
    }
    assertTrue(files.size() > 5, files.toString());
    for (Path file : files) {
      refused(
          List.of("quantize", "--in", model, "--scheme", "q8_0", "--force", "--out", file),
          "part of the model itself");
      refused(
          List.of("run", "--model", model, "--prompt", "x", "--stats-json", file),
          "part of the model itself");
    }
    Path first = Files.createFile(folder.resolve("m-00001-of-00002.gguf"));
    Path second = Files.createFile(folder.resolve("m-00002-of-00002.gguf"));
    Path other = Files.createFile(folder.resolve("n-00002-of-00002.gguf"));
    assertThrows(
        UserException.class, () -> new OutputFile("--out", second).check(true, List.of(first)));
    assertDoesNotThrow(() -> new OutputFile("--out", other).check(true, List.of(first)));
  }

  @Test
  void anInputWithThePartsOldNameSurvives() throws IOException {
    Path in = Files.move(demo, folder.resolve("out.gguf.part"));
    byte[] before = Files.readAllBytes(in);
    Path out = folder.resolve("out.gguf");
    Quern made = quern("quantize", "--in", in, "--out", out, "--scheme", "q8_0");
    assertEquals(0, made.code(), made.err());
    assertArrayEquals(before, Files.readAllBytes(in));
    assertEquals(3, list().size(), list().toString());
  }

  @Test
  void aLinkAtThePartsOldNameIsNotFollowed() throws IOException {
    Path precious = Files.writeString(folder.resolve("precious"), "precious");
    Files.createSymbolicLink(folder.resolve("out.gguf.part"), precious);
    Path out = folder.resolve("out.gguf");
    Quern made = quern("synthesize", "--shape", "tiny", "--format", "Q4_0", "--out", out);
    assertEquals(0, made.code(), made.err());
    assertEquals("precious", Files.readString(precious));
  }

  @Test
  void devicesFoldersAndLinksAreRefusedByEveryWriter() throws IOException {
    Path device = Path.of("/dev/null");
    Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("nothing"));
    List<Path> outs = new ArrayList<>(List.of(folder, link));
    if (Files.exists(device)) {
      outs.add(device);
    } else {
      System.out.println("[quern] OutputFileTest: devices were left out: no " + device);
    }
    for (Path out : outs) {
      String part = "expected a regular file or nothing";
      refused(
          List.of("synthesize", "--shape", "tiny", "--format", "F16", "--force", "--out", out),
          part);
      refused(List.of("quantize", "--in", demo, "--scheme", "q8_0", "--force", "--out", out), part);
      refused(List.of("run", "--prompt", "x", "--stats-json", out), part);
      refused(List.of("bench", "--json", out), part);
      refused(List.of("bench", "--depth", "0,8", "--svg", out), part);
      refused(List.of("perplexity", "--text", text, "--json", out), part);
    }
    assertTrue(Files.isSymbolicLink(link));
  }

  @Test
  void twoOutputsOfOneNameAreRefused() throws IOException {
    Path out = folder.resolve("out");
    Path same = folder.resolve("../" + folder.getFileName() + "/out");
    refused(
        List.of("bench", "--depth", "0,8", "--json", out, "--html", same),
        "--html: " + same + " is what --json names");
    assertFalse(Files.exists(out));
  }

  @Test
  void aNameThatEndsInASlashIsAFolders() {
    for (String out : List.of(folder + "/new/", "")) {
      Quern result = quern("synthesize", "--shape", "tiny", "--format", "F16", "--out", out);
      assertEquals(2, result.code(), result.err());
      assertTrue(result.err().contains("'" + out + "', expected the name of a file"), result.err());
    }
  }

  @Test
  void aNameThatIsTooLongIsOneLine() throws IOException {
    refused(
        List.of(
            "synthesize",
            "--shape",
            "tiny",
            "--format",
            "F16",
            "--out",
            folder.resolve("x".repeat(300))),
        "File name too long");
  }

  @Test
  void roomIsAskedForWhereTheSystemTellsIt() {
    OutputFile out = new OutputFile("--out", folder.resolve("out"));
    out.checkRoom(0);
    UserException e = assertThrows(UserException.class, () -> out.checkRoom(1L << 62));
    assertTrue(e.getMessage().contains("needs 4611686018427 MB"), e.getMessage());
    Path proc = Path.of("/proc/self/out"); // a file system whose free space is 0 of 0: unknown
    if (Files.exists(proc.getParent())) {
      new OutputFile("--out", proc).checkRoom(1L << 62);
    } else {
      System.out.println("[quern] OutputFileTest: unknown room was left out: no /proc");
    }
  }

  private void refused(List<Object> command, String part) throws IOException {
    List<String> before = list();
    Quern result = quern(command.toArray());
    assertEquals(1, result.code(), command + ": " + result.err());
    assertEquals(1, result.err().lines().count(), result.err());
    assertTrue(result.err().contains(part), command + ": " + result.err());
    assertEquals("", result.out());
    assertEquals(before, list());
  }

  private List<String> list() throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  private static Quern quern(Object... args) {
    return Quern.run(Stream.of(args).map(Object::toString).toArray(String[]::new));
  }
}

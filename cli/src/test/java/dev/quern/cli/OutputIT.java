package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.Signals;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What the product leaves behind when it is stopped, when the disk is full, and where two write at
/// once; in processes of their own.
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class OutputIT {
  private static final String LIB = System.getProperty("quern.lib");

  @TempDir Path folder;
  @TempDir Path elsewhere;

  @Test
  void aStoppedSynthesisLeavesNothing() throws Exception {
    for (String signal : Signals.heard("TERM", "INT")) {
      Process process = large();
      try {
        awaitBytes(process);
        new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
        assertTrue(process.waitFor(1, TimeUnit.MINUTES), "it goes on after SIG" + signal);
        assertTrue(process.exitValue() > 128, signal + ": " + process.exitValue());
      } finally {
        process.destroyForcibly();
      }
      assertEquals(List.of(), list(), signal);
    }
  }

  @Test
  void ofTwoWritersTheSecondIsRefused() throws Exception {
    Process process = large();
    try {
      awaitBytes(process);
      Child second =
          quern(List.of(), "synthesize", "--shape", "tiny", "--format", "Q4_0", "--out", out());
      assertEquals(1, second.code(), second.err());
      assertTrue(line(second).contains("another process is writing it"), second.err());
      assertEquals(1, list().size(), list().toString());
    } finally {
      process.destroyForcibly().waitFor();
    }
    // What was killed is named, and neither used nor in the way.
    Child third =
        quern(List.of(), "synthesize", "--shape", "tiny", "--format", "Q4_0", "--out", out());
    assertEquals(0, third.code(), third.err());
    assertTrue(third.err().contains("was left by a process that was killed"), third.err());
    Child shown = quern(List.of(), "inspect", out());
    assertEquals(0, shown.code(), shown.err());
    assertTrue(shown.out().contains("synthetic tiny"), shown.out());
  }

  /// A limit on the size of files fails as a full disk does, in the middle.
  @Test
  void aFullDiskIsOneLineAndLeavesNothing() throws Exception {
    List<String> limited =
        new ArrayList<>(List.of("sh", "-c", "ulimit -f 1000; exec \"$@\"", "sh"));
    limited.addAll(command(List.of("-XX:-UsePerfData")));
    limited.addAll(List.of("synthesize", "--shape", "tiny", "--format", "F32", "--out", out()));
    Child child = Child.run(elsewhere, limited);
    assertEquals(1, child.code(), child.err());
    assertTrue(line(child).contains("out.gguf can't be written: File too large"), child.err());
    assertFalse(child.err().contains("\tat "), child.err());
    assertEquals(List.of(), list());
  }

  @Test
  void withoutATemporaryFolderTheDemoRunsAndWhatNeedsOneSaysSo() throws Exception {
    List<String> jvm =
        List.of("-Djava.io.tmpdir=" + folder.resolve("absent"), "-Dquern.provider=scalar");
    Child run = quern(jvm, "run", "--prompt", "Once upon a time", "-n", "5");
    assertEquals(0, run.code(), run.err());
    assertTrue(run.out().startsWith("Once upon a time, there was"), run.out());
    assertEquals(0, quern(jvm, "tokenize", "Once").code());
    assertEquals(0, quern(jvm, "explain").code());
    Child accuracy = quern(jvm, "accuracy", "--model", "any.gguf");
    assertEquals(1, accuracy.code(), accuracy.err());
    assertTrue(
        line(accuracy).contains("can't be made: no such folder; name a place"), accuracy.err());
  }

  @Test
  void aStoppedAccuracyLeavesNoModels() throws Exception {
    Path model = elsewhere.resolve("tiny.gguf");
    Child made =
        quern(
            List.of(),
            "synthesize",
            "--shape",
            "tiny",
            "--format",
            "F16",
            "--out",
            model.toString());
    assertEquals(0, made.code(), made.err());
    Path text = Files.writeString(elsewhere.resolve("t.txt"), "Once upon a time. ".repeat(2000));
    List<String> command =
        command(List.of("-Djava.io.tmpdir=" + folder, "-Dquern.provider=scalar"));
    command.addAll(
        List.of("accuracy", "--model", model.toString(), "--text", text.toString(), "-c", "64"));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(elsewhere.resolve("log").toFile())
            .start();
    try {
      while (list().isEmpty()) {
        assertTrue(process.isAlive(), () -> "it ended: " + log());
        Thread.sleep(5);
      }
      process.destroy();
      assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    } finally {
      process.destroyForcibly();
    }
    assertEquals(List.of(), list());
  }

  private String log() {
    try {
      return Files.readString(elsewhere.resolve("log"));
    } catch (IOException e) {
      return e.toString();
    }
  }

  /// Begins a file of 771 MB.
  private Process large() throws IOException {
    List<String> command = command(List.of());
    command.addAll(
        List.of("synthesize", "--shape", "llama-3.2-1b", "--format", "Q4_0", "--out", out()));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(elsewhere.resolve("log").toFile())
        .start();
  }

  private void awaitBytes(Process process) throws Exception {
    while (true) {
      assertTrue(process.isAlive(), () -> "it ended: " + log());
      try (Stream<Path> files = Files.list(folder)) {
        if (files.anyMatch(f -> f.toFile().length() > 20 << 20)) {
          return;
        }
      }
      Thread.sleep(5);
    }
  }

  /// What Quern says; the JVM has warnings of its own.
  private static String line(Child child) {
    List<String> lines = child.err().lines().filter(l -> !l.startsWith("WARNING: ")).toList();
    assertEquals(1, lines.size(), child.err());
    return lines.getFirst();
  }

  private Child quern(List<String> jvm, String... args) throws IOException {
    List<String> command = command(jvm);
    command.addAll(List.of(args));
    return Child.run(elsewhere, command);
  }

  private static List<String> command(List<String> jvm) {
    List<String> command = new ArrayList<>(List.of(Child.JAVA, "-p", LIB));
    command.addAll(jvm);
    command.addAll(List.of("-m", "dev.quern.cli/dev.quern.cli.Main"));
    return command;
  }

  private String out() {
    return folder.resolve("out.gguf").toString();
  }

  private List<String> list() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }
}

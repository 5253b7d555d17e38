package dev.quern.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A finished command.
///
/// @param line as a user would type it, more or less
record Command(String line, int code, String out, String err) {
  /// The JDK that runs this test.
  static final Path JDK = Path.of(System.getProperty("java.home"));

  private static final int MINUTES = 20;

  /// Runs a program of the JDK.
  static Command jdk(String tool, Path folder, String... arguments) throws IOException {
    return run(folder, concat(JDK.resolve("bin").resolve(tool).toString(), arguments));
  }

  static Command run(Path folder, List<String> words) throws IOException {
    return run(folder, JDK.resolve("bin"), words);
  }

  /// Runs a program with no standard input.
  ///
  /// @param bin the folder whose programs are to be found first
  static Command run(Path folder, Path bin, List<String> words) throws IOException {
    Path out = Files.createTempFile("out", ".txt");
    Path err = Files.createTempFile("err", ".txt");
    try {
      ProcessBuilder builder =
          new ProcessBuilder(words)
              .directory(folder.toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile());
      builder.environment().put("JAVA_HOME", JDK.toString());
      builder.environment().merge("PATH", bin.toString(), Command::behind);
      Process process = builder.start();
      process.getOutputStream().close();
      if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new IllegalStateException("no end after " + MINUTES + " minutes: " + words);
      }
      return new Command(
          String.join(" ", words),
          process.exitValue(),
          Files.readString(out),
          Files.readString(err));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  /// Fails, with all that was printed, unless the command succeeded.
  Command orFail() {
    assertEquals(0, code, () -> "$ " + line + "\n" + out + "\n" + err);
    return this;
  }

  private static String behind(String path, String first) {
    return first + File.pathSeparator + path;
  }

  private static List<String> concat(String first, String... others) {
    return java.util.stream.Stream.concat(java.util.stream.Stream.of(first), Arrays.stream(others))
        .toList();
  }
}

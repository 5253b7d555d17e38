package dev.quern.testing;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;

/// A program in a JVM of its own, for what a JVM is given when it starts: paths, options, access.
public final class ChildJvm {
  private static final int SECONDS = 120;

  private ChildJvm() {}

  /// What a program printed, on both streams, by lines. The test fails, with all of it, unless the
  /// program ends within two minutes and with status 0.
  ///
  /// @param words what stands behind `java`: options, the main class, its arguments
  public static List<String> run(List<String> words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(words);
    // A file and no pipe: who reads a pipe waits for a program that hangs.
    Path output = Files.createTempFile("child-jvm", ".txt");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      boolean ended = process.waitFor(SECONDS, TimeUnit.SECONDS);
      process.destroyForcibly().waitFor();
      String text = Files.readString(output, StandardCharsets.UTF_8);
      Assertions.assertTrue(ended, () -> "no end: " + command + "\n" + text);
      Assertions.assertEquals(0, process.exitValue(), () -> command + "\n" + text);
      return text.lines().toList();
    } finally {
      Files.delete(output);
    }
  }

  /// Where classes come from, as a class path or module path.
  public static String path(Class<?>... classes) throws URISyntaxException {
    List<String> places = new ArrayList<>();
    for (Class<?> c : classes) {
      places.add(Path.of(c.getProtectionDomain().getCodeSource().getLocation().toURI()).toString());
    }
    return String.join(File.pathSeparator, places);
  }
}

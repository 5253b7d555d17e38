package dev.quern.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A finished child process.
record Child(int code, String out, String err) {
  /// This JVM's launcher.
  static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();

  /// Without it the JVM warns, since the x86 provider, too, is asked whether it is there.
  static final String NATIVE_ACCESS = "--enable-native-access=dev.quern.provider.x86";

  /// What the JVM itself prints when it resolves the module of the Vector API.
  static final String INCUBATOR_WARNING = "WARNING: Using incubator modules: jdk.incubator.vector";

  static Child run(Path workingFolder, List<String> command) throws IOException {
    Path out = Files.createTempFile(workingFolder, "out", ".txt");
    Path err = Files.createTempFile(workingFolder, "err", ".txt");
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(workingFolder.toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      process.getOutputStream().close();
      if (!process.waitFor(2, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new IllegalStateException("no end after 2 minutes: " + command);
      }
      return new Child(
          process.exitValue(),
          Files.readString(out, StandardCharsets.UTF_8),
          Files.readString(err, StandardCharsets.UTF_8));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}

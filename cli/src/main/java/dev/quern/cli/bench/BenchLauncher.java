package dev.quern.cli.bench;

import dev.quern.cli.console.UserException;
import dev.quern.files.TempFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Runs commands of Quern as users do, through the launcher `./quern`, each in a JVM of its own:
/// peak memory and the JIT's profile are then that run's alone.
///
/// @param quern the launcher
/// @param properties `-Dquern.name=value` words, as this JVM has them
record BenchLauncher(String quern, List<String> properties) {
  /// Environment variable in which the launcher says where it is.
  static final String VARIABLE = "QUERN_LAUNCHER";

  private static final long LIMIT_MINUTES = 60;
  private static final String COMPLAINT = "quern: ";

  BenchLauncher {
    properties = List.copyOf(properties);
  }

  /// The launcher that started this process.
  ///
  /// @throws UserException if none did
  static BenchLauncher current() {
    String quern = System.getenv(VARIABLE);
    if (quern == null) {
      throw new UserException(
          String.format(
              Locale.ROOT,
              "--protocol: %s is not set, expected the launcher, which starts each run: use ./quern bench",
              VARIABLE));
    }
    return new BenchLauncher(
        quern,
        System.getProperties().stringPropertyNames().stream()
            .filter(name -> name.startsWith("quern."))
            .sorted()
            .map(name -> String.format(Locale.ROOT, "-D%s=%s", name, System.getProperty(name)))
            .toList());
  }

  /// Runs a command and waits for it.
  ///
  /// @param what what messages call it
  /// @throws UserException if it fails, with what it said
  void run(List<String> words, String what) throws IOException {
    List<String> command = new ArrayList<>(List.of(quern));
    command.addAll(properties);
    command.addAll(words);
    try (TempFolder folder = TempFolder.create("quern-bench")) {
      Path said = folder.file("said.txt");
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(said.toFile())
              .start();
      process.getOutputStream().close();
      int code = wait(process, what);
      if (code != 0) {
        throw new UserException(
            String.format(
                Locale.ROOT,
                "%s: exit code %d: %s",
                what,
                code,
                complaint(Files.readString(said, StandardCharsets.UTF_8))));
      }
    }
  }

  private static int wait(Process process, String what) {
    try {
      if (process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
        return process.exitValue();
      }
      throw new UserException(
          String.format(Locale.ROOT, "%s: no end after %d minutes", what, LIMIT_MINUTES));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a run was waited for", e);
    } finally {
      process.destroyForcibly(); // the launcher has become the JVM
    }
  }

  /// Its line for the user, or the last one of whatever it said.
  private static String complaint(String said) {
    List<String> lines = said.lines().filter(l -> !l.isBlank()).toList();
    return lines.stream()
        .filter(l -> l.startsWith(COMPLAINT))
        .map(l -> l.substring(COMPLAINT.length()))
        .findFirst()
        .orElse(lines.isEmpty() ? "it said nothing" : lines.getLast());
  }
}

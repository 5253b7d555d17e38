package dev.quern.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Runs commands of Quern in JVMs of their own, with this one's options and modules: their peak
/// memory and the JIT's profile are theirs alone.
///
/// @param prefix the words of a command line up to the main class
record ChildJvm(List<String> prefix) {
  private static final long LIMIT_MINUTES = 60;

  ChildJvm {
    prefix = List.copyOf(prefix);
  }

  /// As this process was started.
  ///
  /// @throws UserException if the system does not tell how
  static ChildJvm likeThis() {
    ProcessHandle.Info info = ProcessHandle.current().info();
    List<String> prefix = new ArrayList<>();
    info.command().ifPresent(prefix::add);
    for (String word : info.arguments().orElse(new String[0])) {
      prefix.add(word);
      if (word.equals(Main.class.getName())
          || word.equals("dev.quern.cli/" + Main.class.getName())) {
        return new ChildJvm(prefix);
      }
    }
    throw new UserException(
        "--protocol: the command line of this JVM names no %s, expected it: start Quern with ./quern"
            .formatted(Main.class.getName()));
  }

  /// Runs a command and waits for it.
  ///
  /// @param what what messages call it
  /// @throws UserException if it fails, with what it said
  void run(List<String> words, String what) throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(words);
    Path said = Files.createTempFile("quern-bench", ".txt");
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(said.toFile())
              .start();
      process.getOutputStream().close();
      int code = wait(process, what);
      if (code != 0) {
        throw new UserException(
            "%s: exit code %d: %s"
                .formatted(what, code, complaint(Files.readString(said, StandardCharsets.UTF_8))));
      }
    } finally {
      Files.delete(said);
    }
  }

  /// Also ends it with this process's thread.
  private static int wait(Process process, String what) {
    try {
      if (process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
        return process.exitValue();
      }
      throw new UserException("%s: no end after %d minutes".formatted(what, LIMIT_MINUTES));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a run was waited for", e);
    } finally {
      process.destroyForcibly();
    }
  }

  /// Its line for the user, or the last one of whatever it said.
  private static String complaint(String said) {
    String prefix = "quern: ";
    List<String> lines = said.lines().filter(l -> !l.isBlank()).toList();
    return lines.stream()
        .filter(l -> l.startsWith(prefix))
        .map(l -> l.substring(prefix.length()))
        .findFirst()
        .orElse(lines.isEmpty() ? "it said nothing" : lines.getLast());
  }
}

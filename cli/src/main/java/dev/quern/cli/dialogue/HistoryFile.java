package dev.quern.cli.dialogue;

import dev.quern.cli.console.Console;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/// Where the editor keeps what was typed: in the user's folder of states (XDG), for that user
/// alone.
public final class HistoryFile {
  private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-------");
  private static final FileAttribute<?> FOLDER =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private HistoryFile() {}

  /// Where it lies, as `$XDG_STATE_HOME` or `$HOME` have it; empty where neither is set.
  ///
  /// @param environment variables by name; null for one that is not set
  static Optional<Path> path(UnaryOperator<String> environment) {
    String state = environment.apply("XDG_STATE_HOME");
    if (state != null
        && state.startsWith("/")) { // the rules of XDG: what is not absolute is ignored
      return Optional.of(Path.of(state, "quern", "chat-history"));
    }
    String home = environment.apply("HOME");
    return home == null || home.isEmpty()
        ? Optional.empty()
        : Optional.of(Path.of(home, ".local", "state", "quern", "chat-history"));
  }

  /// The file, made if it is not there; empty, with a line that says why, where there can be none.
  public static Optional<Path> open(Console console) {
    Optional<Path> path = path(System::getenv);
    if (path.isEmpty()) {
      console.notes().println("quern: no history: neither HOME nor XDG_STATE_HOME is set");
    }
    try {
      if (path.isPresent()) {
        makePrivate(path.get());
      }
      return path;
    } catch (IOException | UnsupportedOperationException e) {
      console
          .notes()
          .println("quern: no history, since no file of it can be kept: " + e.getMessage());
      return Optional.empty();
    }
  }

  /// @throws UnsupportedOperationException where files have no permissions of their own
  static void makePrivate(Path file) throws IOException {
    Files.createDirectories(file.getParent(), FOLDER);
    try {
      Files.createFile(file, PosixFilePermissions.asFileAttribute(FILE));
    } catch (FileAlreadyExistsException _) {
      Files.setPosixFilePermissions(file, FILE); // who made it may have had another umask
    }
    if (!Files.isRegularFile(file) || !Files.isReadable(file) || !Files.isWritable(file)) {
      throw new IOException(file + " is no file that can be read and written");
    }
  }
}

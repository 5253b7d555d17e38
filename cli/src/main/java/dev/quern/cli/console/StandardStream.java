package dev.quern.cli.console;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What a standard stream of the process is.
public enum StandardStream {
  /// A terminal; `/dev/null` counts as one, for which it makes no difference.
  TERMINAL,
  /// A pipe or a socket: somebody may stop to read.
  PIPE,
  FILE,
  /// Closed when the process began. Its number then belongs to the next file that was opened, which
  /// in a JVM is its own class library.
  CLOSED;

  private static final int TYPE = 0170000; // S_IFMT and its values, in stat(2)
  private static final int CHARACTER_DEVICE = 0020000;
  private static final int NAMED_PIPE = 0010000;
  private static final int SOCKET = 0140000;

  /// @param number the stream's file descriptor
  static StandardStream of(int number) {
    Path stream = Path.of("/dev/fd/" + number);
    try {
      if (Files.isSameFile(stream, Path.of(System.getProperty("java.home"), "lib", "modules"))) {
        return CLOSED;
      }
      return switch ((int) Files.getAttribute(stream, "unix:mode") & TYPE) {
        case CHARACTER_DEVICE -> TERMINAL;
        case NAMED_PIPE, SOCKET -> PIPE;
        default -> FILE;
      };
    } catch (IOException | UnsupportedOperationException _) { // Windows: the JVM knows all or none
      return System.console() != null && System.console().isTerminal() ? TERMINAL : PIPE;
    }
  }
}

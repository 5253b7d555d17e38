package dev.quern.cli.dialogue;

import dev.quern.cli.console.Console;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// What a person, or a file, says to a model, turn by turn.
public interface Turns extends AutoCloseable {
  /// The next turn; empty where there is none any more.
  ///
  /// @throws dev.quern.cli.console.UserException if it is no text; there may be others behind it
  Optional<String> next() throws IOException;

  /// Does what a turn asks for. Where Ctrl-C is typed meanwhile, `stop` is called on another
  /// thread, and nothing else ends.
  void during(Runnable stop, Runnable work);

  @Override
  void close() throws IOException;

  /// The editor where a person sits at a terminal that can move its cursor, otherwise lines.
  ///
  /// @param commands words that the editor completes
  /// @param history the editor's file of earlier turns; empty for none
  static Turns of(Console console, Commands commands, Optional<Path> history) {
    if (!console.interactive() || isDumb(System.getenv("TERM"))) {
      return new LineTurns(console);
    }
    try {
      return EditedTurns.ofTerminal(console, commands, history);
    } catch (IOException | IllegalStateException e) { // JLine's, where stty is missing
      console.notes().println("quern: no line editing: " + e.getMessage());
      return new LineTurns(console);
    }
  }

  private static boolean isDumb(String terminal) {
    return terminal == null || terminal.isEmpty() || terminal.equals("dumb");
  }
}

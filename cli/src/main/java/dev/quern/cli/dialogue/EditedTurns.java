package dev.quern.cli.dialogue;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.UserException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.jline.reader.Buffer;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/// A line editor with history and completion, JLine's. A line that ends in a backslash goes on in
/// the next, a turn that begins with `"""` goes on until a line ends so, and text that is pasted
/// stays one, line ends and all.
final class EditedTurns implements Turns {
  private static final String BLOCK = "\"\"\"";
  private static final String REPLACEMENT = "\uFFFD";
  private static final int REMEMBERED = 1000;

  private final Terminal terminal;
  private final Console console;
  private final LineReader reader;
  private boolean warned; // Ctrl-C was the last that was typed

  /// On the process's own terminal.
  ///
  /// @throws IOException if it can't be used
  /// @throws IllegalStateException if JLine has no means to
  static EditedTurns ofTerminal(Console console, Commands commands, Optional<Path> history)
      throws IOException {
    Terminal terminal =
        TerminalBuilder.builder()
            .system(true)
            .provider(TerminalBuilder.PROP_PROVIDER_EXEC) // stty: no native code, no flags
            .dumb(false)
            .encoding(StandardCharsets.UTF_8) // as of all streams here
            .graphemeCluster(false) // asks the terminal, and waits half a second for some
            .build();
    return new EditedTurns(terminal, console, commands, history);
  }

  /// @param terminal closed with this
  EditedTurns(Terminal terminal, Console console, Commands commands, Optional<Path> history) {
    this.terminal = terminal;
    this.console = console;
    terminal.handle(Terminal.Signal.INT, _ -> {}); // between a turn and its reply it ends nothing
    LineReaderBuilder builder =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .appName("quern")
            .parser(new DefaultParser().quoteChars(new char[0]).escapeChars(new char[0]))
            .completer(new CommandCompleter(commands))
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // `!` is a character
            .option(LineReader.Option.INSERT_TAB, false)
            .variable(LineReader.SECONDARY_PROMPT_PATTERN, ". ")
            .variable(LineReader.HISTORY_SIZE, REMEMBERED)
            .variable(LineReader.HISTORY_FILE_SIZE, REMEMBERED);
    history.ifPresent(file -> builder.variable(LineReader.HISTORY_FILE, file));
    reader = builder.build();
    reader.getWidgets().put(LineReader.ACCEPT_LINE, this::acceptOrGoOn);
  }

  /// What Enter does. The mark goes, and not later: a backslash of text that was pasted is text.
  private boolean acceptOrGoOn() {
    Buffer buffer = reader.getBuffer();
    boolean atEnd = buffer.cursor() == buffer.length();
    String typed = buffer.toString();
    if (isOpenBlock(typed)) {
      buffer.cursor(buffer.length());
      buffer.write("\n");
    } else if (atEnd && typed.endsWith("\\")) {
      buffer.backspace();
      buffer.write("\n");
    } else {
      reader.callWidget("." + LineReader.ACCEPT_LINE);
    }
    return true;
  }

  private static boolean isOpenBlock(String typed) {
    return typed.startsWith(BLOCK)
        && (typed.length() < 2 * BLOCK.length() || !typed.endsWith(BLOCK));
  }

  @Override
  public Optional<String> next() throws IOException {
    while (true) {
      console.out().flush();
      try {
        String typed = reader.readLine("> ");
        warned = false;
        return Optional.of(text(typed));
      } catch (EndOfFileException _) {
        return Optional.empty();
      } catch (UserInterruptException e) {
        if (warned && e.getPartialLine().isEmpty()) {
          return Optional.empty();
        }
        warned = e.getPartialLine().isEmpty();
        if (warned) {
          console.notes().println("quern: Ctrl-C once more, Ctrl-D or /exit ends the conversation");
        }
      }
    }
  }

  private static String text(String typed) {
    if (typed.contains(REPLACEMENT)) {
      throw new UserException(
          "what was typed is not UTF-8 (or holds U+FFFD), expected a terminal that sends UTF-8");
    }
    if (!typed.startsWith(BLOCK)) {
      return typed;
    }
    String block = typed.substring(BLOCK.length(), typed.length() - BLOCK.length());
    String begun = block.startsWith("\n") ? block.substring(1) : block;
    return begun.endsWith("\n") ? begun.substring(0, begun.length() - 1) : begun;
  }

  @Override
  public void during(Runnable stop, Runnable work) {
    Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, _ -> stop.run());
    try {
      work.run();
    } finally {
      terminal.handle(Terminal.Signal.INT, before);
    }
  }

  @Override
  public void close() throws IOException {
    terminal.close();
  }
}

package dev.quern.cli.dialogue;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.TextInput;
import java.io.IOException;
import java.util.Optional;

/// A line a turn, as it comes. On a terminal Ctrl-C ends the process, as it does everywhere.
final class LineTurns implements Turns {
  private final Console console;
  private final TextInput in;

  LineTurns(Console console) {
    this.console = console;
    in = TextInput.standard(console);
  }

  @Override
  public Optional<String> next() throws IOException {
    if (console.interactive()) {
      console.out().print("> ");
      console.out().flush();
    }
    return in.line();
  }

  @Override
  public void during(Runnable stop, Runnable work) {
    work.run();
  }

  @Override
  public void close() {}
}

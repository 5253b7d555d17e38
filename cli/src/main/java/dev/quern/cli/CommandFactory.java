package dev.quern.cli;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import picocli.CommandLine;

/// Makes the commands, handing each the console.
record CommandFactory(Console console) implements CommandLine.IFactory {
  @Override
  public <K> K create(Class<K> type) throws Exception {
    if (ConsoleCommand.class.isAssignableFrom(type)) {
      return type.getDeclaredConstructor(Console.class).newInstance(console);
    }
    return CommandLine.defaultFactory().create(type);
  }
}

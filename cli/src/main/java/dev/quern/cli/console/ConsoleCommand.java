package dev.quern.cli.console;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/// A command that prints to a console.
@Command(mixinStandardHelpOptions = true, versionProvider = Version.class, sortOptions = false)
public abstract class ConsoleCommand implements Callable<Integer> {
  protected final Console console;

  protected ConsoleCommand(Console console) {
    this.console = console;
  }
}

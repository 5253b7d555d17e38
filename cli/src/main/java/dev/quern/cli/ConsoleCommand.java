package dev.quern.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/// A command that prints to a console.
@Command(mixinStandardHelpOptions = true, versionProvider = Version.class, sortOptions = false)
abstract class ConsoleCommand implements Callable<Integer> {
  final Console console;

  ConsoleCommand(Console console) {
    this.console = console;
  }
}

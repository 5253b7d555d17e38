package dev.quern.benchmarks;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;

/// Runs a command of this module as its script does.
final class Program {
  private Program() {}

  /// Mistakes of users and failures of files are one line with the command's name.
  ///
  /// @return the exit code
  static int run(Callable<Integer> command, PrintWriter out, PrintWriter err, String... args) {
    return new CommandLine(command)
        .setOut(out)
        .setErr(err)
        .setExecutionExceptionHandler((e, line, parsed) -> {
          if (e instanceof CompareException || e instanceof IOException) {
            err.println(line.getCommandName() + ": " + e.getMessage());
            return 1;
          }
          throw e;
        })
        .execute(args);
  }
}

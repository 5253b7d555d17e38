package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.llama.GenerationOptions;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/// The options that say where generated text ends, and how it is printed.
final class GeneratedTextOptions {
  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description =
          "End before this text, which is not printed; may be given several times. As typed: a line end is $'\\n' in most shells.")
  List<String> stop = new ArrayList<>();

  @Option(
      names = "--raw",
      description =
          "Print to a terminal what the model says as it is. Default: control characters are shown, and not obeyed.")
  boolean raw;

  GeneratedTextOptions() {}

  GenerationOptions with(GenerationOptions options) {
    return options.withStopStrings(stop);
  }

  /// Where the text goes.
  PrintStream stream(Console console) {
    return raw ? console.rawOut() : console.out();
  }
}

package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.TextInput;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/// Where the text to continue comes from.
final class PromptOptions {
  /// What is said of a text that comes from a file.
  static final String FILE =
      "The text, in UTF-8, from this file; - is standard input, and so is neither option where standard input is a file or a pipe. A line end at its very end does not count.";

  static final String SPECIAL =
      "Read special tokens in the text, such as <|eot_id|>, as tokens and not as text.";

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description = "The text to continue; may be empty.")
  String prompt;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = FILE)
  Path file;

  @Option(names = "--special", description = SPECIAL)
  boolean special;

  PromptOptions() {}

  /// Whether an option gives a text.
  boolean given() {
    return prompt != null || file != null;
  }

  String text(CommandSpec spec, Console console) throws IOException {
    return text(spec, "--prompt", prompt, file, console);
  }

  /// The one text that was given.
  ///
  /// @param option what gives a text on the command line
  /// @param given what it gave; null for nothing
  /// @param file what --file gave; null for nothing
  static String text(CommandSpec spec, String option, String given, Path file, Console console)
      throws IOException {
    if (given != null && file != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), option + " and --file: two texts, expected one");
    }
    if (given != null) {
      return given;
    }
    if (file != null) {
      return TextInput.read(file, console);
    }
    if (console.inputIsGiven()) {
      return TextInput.standard(console).all();
    }
    throw new CommandLine.ParameterException(
        spec.commandLine(),
        "which text? Expected " + option + ", --file FILE, or text on standard input");
  }
}

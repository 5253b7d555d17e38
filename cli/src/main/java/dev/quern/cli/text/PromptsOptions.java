package dev.quern.cli.text;

import dev.quern.cli.console.OutputFile;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/// The options of many prompts in a file.
final class PromptsOptions {
  private static final int MOST_PARALLEL = 1024; // each has a KV cache

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description =
          "Continue each prompt of this file, several at once: a JSON object a line, with an id and a prompt or messages, and options of its own if need be (max_tokens, temperature, seed, stop, ...). Default seeds follow from --seed and the id.")
  Path prompts;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      converter = OutputFile.Name.class,
      description =
          "Where the results of --prompts go, a JSON object a line, as they end. What is there already is not run again.")
  Path out;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      description = "How many of --prompts run at once. Default: 8.")
  Integer parallel;

  PromptsOptions() {}

  /// Whether there is such a file.
  boolean given() {
    return prompts != null;
  }

  int parallel() {
    return parallel == null ? 8 : parallel;
  }

  /// Refuses what belongs together and is not.
  void check(CommandSpec spec) {
    if (prompts == null && (out != null || parallel != null)) {
      throw mistake(spec, "--out and --parallel: expected --prompts too, the file of prompts");
    }
    if (prompts != null && out == null) {
      throw mistake(spec, "--prompts: expected --out FILE too, where the results go");
    }
    if (parallel() < 1 || parallel() > MOST_PARALLEL) {
      throw mistake(spec, "--parallel " + parallel + ": expected 1 to " + MOST_PARALLEL);
    }
  }

  private static CommandLine.ParameterException mistake(CommandSpec spec, String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }
}

package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.model.Metrics;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/// The options that say what is told beside the text, and in which form.
final class ReportFlags {
  @Option(
      names = "--json",
      description =
          "Print a JSON object for each text, when it is whole: the text, its tokens, why it ended, times, and which provider ran what.")
  boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Nothing but the text, warnings and errors: no metrics, notes, progress bar.")
  boolean quiet;

  @Option(
      names = {"-v", "--verbose"},
      description =
          "Also print metrics, and of --logprobs a table, to standard error. Metrics: run does unless --quiet.")
  boolean verbose;

  @Option(
      names = "--logprobs",
      paramLabel = "N",
      description =
          "Also tell each token's log probability and those of the N likeliest, as the model has them, before penalties and filters: with --json or --verbose.")
  Integer logProbabilities;

  ReportFlags() {}

  /// The console that they leave.
  Console on(Console console, CommandSpec spec) {
    if (quiet && verbose) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--quiet and --verbose: expected one of both");
    }
    return quiet ? console.quiet() : console;
  }

  /// @param told whether something else tells log probabilities
  GenerationOptions with(GenerationOptions options, boolean told, CommandSpec spec) {
    if (logProbabilities == null) {
      return options;
    }
    if (!told && !json && !verbose) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "--logprobs: expected --json or --verbose too, which tell them (or run's --stats-json)");
    }
    return options.withLogProbabilities(logProbabilities);
  }

  /// Metrics in a line, and what else is told of a text to a person.
  void tell(LlamaModel model, Generation generation, Console console) {
    console.err().println(Metrics.of(model, generation).line());
    tellLogProbabilities(model, generation, console);
  }

  void tellLogProbabilities(LlamaModel model, Generation generation, Console console) {
    if (verbose && !json) {
      console.err().print(LogProbabilityText.table(generation, model.tokenizer()));
    }
  }
}

package dev.quern.cli.text;

import dev.quern.cli.console.UserException;
import dev.quern.llama.sampling.SamplingOptions;
import picocli.CommandLine.Option;

/// The options that say how tokens are chosen.
final class SamplingFlags {
  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "0: the most likely token each time. Default: 0 for run, 0.6 for chat.")
  Double temperature;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Keep the K likeliest; 0: all. Default: ${DEFAULT-VALUE}.")
  int topK = 40;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description =
          "Keep the likeliest that make up P together; 1: all. Default: ${DEFAULT-VALUE}.")
  double topP = 0.9;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description =
          "Drop what is less likely than P times the likeliest. Default: ${DEFAULT-VALUE}.")
  double minP = 0.05;

  @Option(
      names = "--repeat-penalty",
      paramLabel = "R",
      description = "Lower the odds of recent tokens; 1: off. Default: ${DEFAULT-VALUE}.")
  double repeatPenalty = 1;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of the random choices: the same seed, the same text. Default: 42.")
  long seed = 42;

  SamplingFlags() {}

  SamplingOptions options(double defaultTemperature) {
    try {
      return new SamplingOptions(
          temperature == null ? defaultTemperature : temperature,
          topK,
          topP,
          minP,
          repeatPenalty,
          64,
          seed);
    } catch (IllegalArgumentException e) {
      throw new UserException(e.getMessage(), e);
    }
  }
}

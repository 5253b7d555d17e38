package dev.quern.cli.text;

import dev.quern.cli.console.UserException;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.sampling.SamplingOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/// The options that say how tokens are chosen.
final class SamplingFlags {
  /// What is added to the logit of a token.
  record Bias(int token, double bias) {
    private static final Pattern WRITTEN = Pattern.compile("([0-9]+)([+-][0-9.]+|[+-]inf)");

    /// Reads `15043+1`, `15043-0.5` or `15043-inf`, as llama.cpp does.
    static final class Converter implements CommandLine.ITypeConverter<Bias> {
      @Override
      public Bias convert(String value) {
        Matcher matcher = WRITTEN.matcher(value);
        try {
          if (matcher.matches()) {
            String bias = matcher.group(2).replace("inf", "Infinity");
            return new Bias(Integer.parseInt(matcher.group(1)), Double.parseDouble(bias));
          }
        } catch (NumberFormatException e) {
          // refused as what does not match
        }
        throw new CommandLine.TypeConversionException(
            "'" + value + "', expected a token's id, a sign and a number, such as 15043-1");
      }
    }
  }

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
      names = "--typical",
      paramLabel = "P",
      description =
          "Keep those of the most expected information that make up P together; 1: all. Default: ${DEFAULT-VALUE}.")
  double typicalP = 1;

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
      names = "--frequency-penalty",
      paramLabel = "F",
      description =
          "Lower a recent token's logit by F for each time it occurred; 0: off. Default: ${DEFAULT-VALUE}.")
  double frequencyPenalty;

  @Option(
      names = "--presence-penalty",
      paramLabel = "F",
      description =
          "Lower a recent token's logit by F, however often it occurred; 0: off. Default: ${DEFAULT-VALUE}.")
  double presencePenalty;

  @Option(
      names = "--repeat-last-n",
      paramLabel = "N",
      description =
          "How many tokens are recent for the three penalties; 0: none. Default: ${DEFAULT-VALUE}.")
  int repeatLastN = 64;

  @Option(
      names = "--logit-bias",
      paramLabel = "ID(+|-)BIAS",
      converter = Bias.Converter.class,
      description =
          "Add to a token's logit: 15043+1 or 15043-1; 15043-inf forbids it. May be given several times; tokenize shows ids.")
  List<Bias> logitBias = new ArrayList<>();

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of the random choices: the same seed, the same text. Default: 42.")
  long seed = 42;

  SamplingFlags() {}

  SamplingOptions options(double defaultTemperature) {
    try {
      Map<Integer, Double> biases = new HashMap<>();
      logitBias.forEach(b -> biases.merge(b.token(), b.bias(), Double::sum));
      return new SamplingOptions(
              temperature == null ? defaultTemperature : temperature,
              topK,
              topP,
              minP,
              repeatPenalty,
              repeatLastN,
              seed)
          .withPenalties(frequencyPenalty, presencePenalty)
          .withTypicalP(typicalP)
          .withLogitBias(biases);
    } catch (RequestException e) {
      throw new UserException(e.getMessage(), e);
    }
  }
}

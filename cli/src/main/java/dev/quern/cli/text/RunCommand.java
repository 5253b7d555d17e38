package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.Json;
import dev.quern.cli.console.OutputFile;
import dev.quern.cli.model.Metrics;
import dev.quern.cli.model.ModelOptions;
import dev.quern.llama.EngineRequest;
import dev.quern.llama.Generation;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.KernelProfile;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.sampling.SamplingOptions;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern run`: prompt and continuation to stdout, a line of metrics to stderr.
@Command(name = "run", description = "Continues a text.")
public final class RunCommand extends ConsoleCommand {
  private static final Path STANDARD_ERROR = Path.of("-");

  @Mixin ModelOptions modelOptions;

  @Mixin PromptOptions promptOptions;

  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      description = "Most tokens to generate. Default: ${DEFAULT-VALUE}.")
  int maxTokens = 256;

  @Mixin SamplingFlags sampling;

  @Option(
      names = "--stats-json",
      paramLabel = "FILE",
      converter = OutputFile.Name.class,
      description =
          "Write the metrics as JSON; - is standard error, in one line instead of the one for people, since the text is on standard output.")
  Path statsJson;

  @Option(
      names = "--logprobs",
      paramLabel = "N",
      description =
          "With --stats-json: also write each token's log probability and those of the N likeliest, as the model has them, before penalties and filters.")
  Integer logProbabilities;

  @Option(
      names = "--completions",
      paramLabel = "N",
      description =
          "Continue the text N times, with seeds S, S+1 and so on; needs a --temperature above 0. Default: ${DEFAULT-VALUE}.")
  int completions = 1;

  @Option(
      names = "--profile",
      description = "Also print the share of each operator in the prompt and in decoding.")
  boolean profile;

  @Mixin GuessOptions guesses;

  @Mixin GeneratedTextOptions textOptions;

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  public RunCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    final String prompt = promptOptions.text(spec, console);
    boolean inline = STANDARD_ERROR.equals(statsJson);
    OutputFile stats = new OutputFile("--stats-json", inline ? null : statsJson);
    OutputFile.check(List.of(stats), Arrays.asList(modelOptions.model));
    GenerationOptions options = options();
    Optional<KernelProfile> kernels = profile ? Optional.of(new KernelProfile()) : Optional.empty();
    LoadOptions loading = modelOptions.options();
    loading = kernels.map(loading::withProfile).orElse(loading);
    try (LlamaModel model = modelOptions.load(console, loading)) {
      Completed completed =
          guesses.any() ? guess(model, loading, prompt, options) : complete(model, prompt, options);
      Map<String, Object> figures = RunStatistics.of(model, completed.texts);
      completed.guessed.ifPresent(g -> figures.put("guesses", g.figures()));
      if (inline) {
        console.err().println(Json.line(figures));
      } else {
        for (CompletedText c : completed.texts) {
          console.err().println(Metrics.of(model, c.generation()).line());
        }
        completed.guessed.ifPresent(g -> console.err().println(g.line()));
      }
      kernels.ifPresent(
          k -> console.err().print(ProfileText.of(k, completed.texts.getFirst().generation())));
      if (statsJson != null && !inline) {
        stats.write(Json.bytes(figures));
      }
    }
    return 0;
  }

  private GenerationOptions options() throws IOException {
    SamplingOptions how = sampling.options(0);
    GenerationOptions options = textOptions.with(GenerationOptions.of(maxTokens, how), console);
    if (completions < 1) {
      throw mistake("--completions %d: expected at least 1");
    }
    if (completions > 1 && how.temperature() == 0) {
      throw mistake("--completions %d: all would be the same, expected a --temperature above 0");
    }
    if (completions > 1 && profile) {
      throw mistake(
          "--completions %d and --profile: it is of one completion, expected one of both");
    }
    guesses
        .contradiction()
        .ifPresent(problem -> {
          throw mistake(problem);
        });
    if (guesses.any() && profile) {
      throw mistake("--profile: it is of a text without guesses, expected no --draft, no --lookup");
    }
    if (logProbabilities == null) {
      return options;
    }
    if (statsJson == null) {
      throw mistake("--logprobs: expected --stats-json too, where they are written");
    }
    return options.withLogProbabilities(logProbabilities);
  }

  private CommandLine.ParameterException mistake(String message) {
    return new CommandLine.ParameterException(
        spec.commandLine(), String.format(Locale.ROOT, message, completions));
  }

  /// Texts, and what became of guesses where there were any.
  private record Completed(List<CompletedText> texts, Optional<GuessOptions.Guessed> guessed) {}

  private Completed complete(LlamaModel model, String prompt, GenerationOptions options) {
    try (LlamaSession session = model.newSession()) {
      int[] tokens = session.encodePrompt(prompt, promptOptions.special);
      Texts texts = new Texts(prompt, options.sampling().seed());
      List<Generation> all = session.completions(tokens, completions, options, texts::listener);
      return new Completed(texts.of(all), Optional.empty());
    }
  }

  private Completed guess(
      LlamaModel model, LoadOptions loading, String prompt, GenerationOptions options)
      throws IOException {
    int[] tokens = model.tokenizer().encodeBeginning(prompt, promptOptions.special);
    try (GuessOptions.Guessing guessing = guesses.open(console, model, loading)) {
      Texts texts = new Texts(prompt, options.sampling().seed());
      GuessOptions.Guessed guessed =
          guessing.complete(EngineRequest.of(tokens, options), completions, texts::listener);
      return new Completed(texts.of(guessed.generations()), Optional.of(guessed));
    }
  }

  /// What is printed, and kept for the statistics.
  private final class Texts {
    private final String prompt;
    private final long seed;
    private final PrintStream out = textOptions.stream(console);
    private final List<StringBuilder> texts = new ArrayList<>();

    /// Prints the prompt, before it is run, which may take long.
    Texts(String prompt, long seed) {
      this.prompt = prompt;
      this.seed = seed;
      begin(0, seed, prompt, out);
    }

    Consumer<String> listener(int i) {
      if (i > 0) {
        out.println();
        begin(i, seed + i, prompt, out);
      }
      StringBuilder text = new StringBuilder();
      texts.add(text);
      return piece -> {
        text.append(piece);
        print(piece, out);
      };
    }

    List<CompletedText> of(List<Generation> generations) {
      if (completions > 1 || console.interactive()) {
        out.println();
      }
      return IntStream.range(0, generations.size())
          .mapToObj(i -> new CompletedText(seed + i, texts.get(i).toString(), generations.get(i)))
          .toList();
    }
  }

  private void begin(int i, long seed, String prompt, PrintStream out) {
    if (completions > 1) {
      out.printf(Locale.ROOT, "--- %d of %d, seed %d ---%n", i + 1, completions, seed);
    }
    print(prompt, out);
  }

  private static void print(String text, PrintStream out) {
    out.print(text);
    out.flush();
  }
}

package dev.quern.cli.text;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.Failures;
import dev.quern.cli.console.Json;
import dev.quern.cli.console.OutputFile;
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
import java.nio.charset.StandardCharsets;
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

  @Mixin ReportFlags report;

  @Mixin PromptsOptions prompts;

  @CommandLine.Spec CommandLine.Model.CommandSpec spec;

  public RunCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    Console console = report.on(this.console, spec);
    prompts.check(spec);
    if (prompts.given()) {
      return runPrompts(console);
    }
    final String prompt = promptOptions.text(spec, console);
    boolean inline = STANDARD_ERROR.equals(statsJson);
    OutputFile stats = new OutputFile("--stats-json", inline ? null : statsJson);
    OutputFile.check(List.of(stats), Arrays.asList(modelOptions.model));
    GenerationOptions options = options();
    Optional<KernelProfile> kernels = profile ? Optional.of(new KernelProfile()) : Optional.empty();
    LoadOptions loading = modelOptions.options();
    loading = kernels.map(loading::withProfile).orElse(loading);
    sampling.tellSeed(console);
    try (LlamaModel model = modelOptions.load(console, loading)) {
      Completed completed =
          guesses.any() ? guess(model, loading, prompt, options) : complete(model, prompt, options);
      Map<String, Object> figures = RunStatistics.of(model, completed.texts);
      completed.guessed.ifPresent(g -> figures.put("guesses", g.figures()));
      if (report.json) {
        Map<String, Object> whole = RunStatistics.withText(model, completed.texts);
        completed.guessed.ifPresent(g -> whole.put("guesses", g.figures()));
        console.out().println(Json.line(whole));
      }
      if (inline) {
        console.err().println(Json.line(figures));
      } else if (report.verbose || !report.quiet && !report.json) {
        tell(model, completed, console);
      }
      kernels.ifPresent(
          k -> console.err().print(ProfileText.of(k, completed.texts.getFirst().generation())));
      if (statsJson != null && !inline) {
        stats.write(Json.bytes(figures));
      }
    }
    return 0;
  }

  private void tell(LlamaModel model, Completed completed, Console console) {
    for (CompletedText c : completed.texts) {
      report.tell(model, c.generation(), console);
    }
    completed.guessed.ifPresent(g -> console.err().println(g.line()));
  }

  /// The other way: prompts of a file, through an engine.
  private int runPrompts(Console console) throws IOException {
    if (promptOptions.given() || statsJson != null || completions != 1 || profile || report.json) {
      throw mistake(
          "--prompts: its lines say what to continue, and --out has what is told of them; expected no --prompt, --file, --stats-json, --completions, --profile, --json");
    }
    if (guesses.any() || guesses.draftTokens != null) {
      throw mistake("--prompts: its lines run side by side, expected no --draft, no --lookup");
    }
    OutputFile out = new OutputFile("--out", prompts.out);
    OutputFile.check(List.of(out), Arrays.asList(prompts.prompts, modelOptions.model));
    SamplingOptions how = sampling.options(0);
    GenerationOptions usual =
        report.with(textOptions.with(GenerationOptions.of(maxTokens, how), console), true, spec);
    sampling.tellSeed(console);
    LoadOptions loading = modelOptions.options();
    long all = PromptRun.count(prompts.prompts);
    String fingerprint = fingerprint(usual, console);
    try (ResultFile results = new ResultFile(prompts.out, fingerprint)) {
      if (results.mend()) {
        console
            .notes()
            .println("quern: " + prompts.out + ": cut off a last line that was not whole");
      }
      try (PendingLines pending = new PendingLines(prompts.prompts, results)) {
        long failed = pending.failed();
        if (pending.done() < all) { // else there is nothing to load a model for
          try (LlamaModel model = modelOptions.load(console, loading)) {
            failed +=
                new PromptRun(model, usual, promptOptions.special, prompts.parallel(), console)
                    .run(pending, results, all);
            console.notes().println("quern: " + model.report().summary());
          }
        }
        console
            .notes()
            .printf(
                Locale.ROOT,
                "quern: %s: %d results, %d of them there before%n",
                prompts.out,
                all,
                pending.done());
        if (failed > 0) {
          console
              .err()
              .printf(
                  Locale.ROOT,
                  "quern: %d of %d lines failed; their \"error\" in %s says why%n",
                  failed,
                  all,
                  prompts.out);
          return Failures.USER_ERROR;
        }
      }
    }
    return 0;
  }

  /// What results depend on, but for their own lines: where it is another one, they are of another
  /// run. Providers and threads are not part of it: whoever goes on elsewhere wants to go on.
  private String fingerprint(GenerationOptions usual, Console console) throws IOException {
    List<Object> all =
        List.of(
            modelOptions.identity(),
            usual.maxTokens(),
            usual.sampling(),
            usual.stopStrings(),
            usual.logProbabilities(),
            textOptions.formText(console),
            promptOptions.special);
    return ByteLines.hash(all.toString().getBytes(StandardCharsets.UTF_8));
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
    if (report.quiet && profile) {
      throw mistake("--quiet and --profile: expected one of both");
    }
    return report.with(options, statsJson != null, spec);
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
      begin(0, seed);
    }

    Consumer<String> listener(int i) {
      if (i > 0) {
        begin(i, seed + i);
      }
      StringBuilder text = new StringBuilder();
      texts.add(text);
      return piece -> {
        text.append(piece);
        print(piece);
      };
    }

    List<CompletedText> of(List<Generation> generations) {
      if (!report.json && (completions > 1 || console.interactive())) {
        out.println();
      }
      return IntStream.range(0, generations.size())
          .mapToObj(i -> new CompletedText(seed + i, texts.get(i).toString(), generations.get(i)))
          .toList();
    }

    private void begin(int i, long seed) {
      if (completions > 1 && !report.json) {
        out.printf(
            Locale.ROOT,
            "%s--- %d of %d, seed %d ---%n",
            i > 0 ? System.lineSeparator() : "",
            i + 1,
            completions,
            seed);
      }
      print(prompt);
    }

    private void print(String text) {
      if (!report.json) {
        out.print(text);
        out.flush();
      }
    }
  }
}

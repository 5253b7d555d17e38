package dev.quern.cli.accuracy;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.console.Json;
import dev.quern.cli.console.OutputFile;
import dev.quern.cli.console.UserException;
import dev.quern.cli.model.LoadProgressBar;
import dev.quern.cli.model.ModelOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.perplexity.Perplexity;
import dev.quern.llama.perplexity.Perplexity.Phase;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern perplexity`: how well a model predicts a text, and how far it is from another one.
@Command(
    name = "perplexity",
    description =
        "Prints a model's perplexity on a text, by llama-perplexity's protocol: chunks of --context tokens, of which the second half is scored. With --against, also how far its predictions are from another model's.")
public final class PerplexityCommand extends ConsoleCommand {
  /// What `--phase` takes.
  enum Phases {
    PREFILL,
    DECODE,
    BOTH
  }

  /// Decoding is slow, and what its kernels add shows in few tokens.
  private static final int DECODED_BESIDE_PREFILL = 1024;

  /// llama-perplexity's.
  private static final int DEFAULT_CONTEXT = 512;

  @Option(
      names = "--text",
      paramLabel = "FILE",
      required = true,
      description = "The text, in UTF-8; at least two chunks long.")
  Path text;

  @Option(
      names = "--against",
      paramLabel = "FILE",
      description =
          "Also print the Kullback-Leibler divergence from this model's distributions; it runs beside the other, with the same options, always in batches.")
  Path against;

  @Option(
      names = "--chunks",
      paramLabel = "N",
      description = "Most chunks. Default: as many as the text has.")
  int chunks;

  @Option(
      names = "--phase",
      paramLabel = "PHASE",
      description =
          "How scored tokens run: prefill (in batches, as prompts do; llama-perplexity's way), decode (one by one, as text is generated; kernels may round more there), or both: prefill, then decode on the first 1,024 scored tokens or so. Default: both.")
  Phases phase = Phases.BOTH;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      converter = OutputFile.Name.class,
      description = "Write the result as JSON.")
  Path json;

  @Mixin ModelOptions modelOptions;

  public PerplexityCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    if (chunks < 0) {
      throw new UserException(
          String.format(Locale.ROOT, "--chunks: %d, expected at least 1, or nothing", chunks));
    }
    OutputFile.check(List.of(jsonFile()), Arrays.asList(modelOptions.model, against, text));
    String content = read();
    try (LlamaModel model = modelOptions.load(console);
        LlamaModel reference = against == null ? null : loadReference()) {
      int context =
          modelOptions.context == 0
              ? Math.min(DEFAULT_CONTEXT, model.context())
              : modelOptions.context;
      PerplexityReport report =
          new PerplexityReport(
              modelOptions.model == null ? "demo" : modelOptions.model.toString(),
              text,
              against,
              measure(model, Optional.ofNullable(reference), content, context),
              model.report());
      console.out().print(report.lines());
      jsonFile().write(Json.bytes(report.json()));
    }
    return 0;
  }

  private OutputFile jsonFile() {
    return new OutputFile("--json", json);
  }

  private List<Perplexity> measure(
      LlamaModel model, Optional<LlamaModel> reference, String content, int context) {
    int[] tokens = Perplexity.tokens(model, content);
    List<Perplexity> measured = new ArrayList<>();
    if (phase != Phases.DECODE) {
      measured.add(
          measure(model, Phase.PREFILL, reference.stream().toList(), tokens, context, chunks));
    }
    if (phase != Phases.PREFILL) {
      List<LlamaModel> references = Stream.concat(Stream.of(model), reference.stream()).toList();
      int few = Math.max(1, DECODED_BESIDE_PREFILL / Math.max(1, context - context / 2 - 1));
      int limit = phase == Phases.DECODE ? chunks : chunks == 0 ? few : Math.min(chunks, few);
      measured.add(measure(model, Phase.DECODE, references, tokens, context, limit));
    }
    return measured;
  }

  private Perplexity measure(
      LlamaModel model,
      Phase one,
      List<LlamaModel> references,
      int[] tokens,
      int context,
      int limit) {
    int all = tokens.length / context;
    int total = limit == 0 ? all : Math.min(limit, all);
    String title = one.name().toLowerCase(Locale.ROOT);
    try (LoadProgressBar bar = new LoadProgressBar(console, title, " chunks", 1)) {
      return Perplexity.measure(
          model, one, references, tokens, context, limit, done -> bar.packed(done, total));
    }
  }

  private LlamaModel loadReference() throws IOException {
    LoadOptions options = modelOptions.options();
    try (LoadProgressBar bar = new LoadProgressBar(console)) {
      return LlamaModel.load(against, options.withProgress(bar));
    }
  }

  private String read() throws IOException {
    try {
      return Files.readString(text);
    } catch (MalformedInputException e) {
      throw new UserException(
          String.format(Locale.ROOT, "--text: %s is not UTF-8; convert it", text), e);
    } catch (java.nio.file.NoSuchFileException e) {
      throw new UserException(String.format(Locale.ROOT, "--text: %s, no such file", text), e);
    }
  }
}

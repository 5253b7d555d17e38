package dev.quern.cli;

import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.perplexity.Divergence;
import dev.quern.llama.perplexity.Mean;
import dev.quern.llama.perplexity.Perplexity;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `quern perplexity`: how well a model predicts a text, and how far it is from another one.
@Command(
    name = "perplexity",
    description =
        "Prints a model's perplexity on a text, by llama-perplexity's protocol: chunks of --context tokens, of which the second half is scored. With --against, also how far its predictions are from another model's.")
final class PerplexityCommand extends ConsoleCommand {
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
          "Also print the Kullback-Leibler divergence from this model's distributions; it runs beside the other, with the same options.")
  Path against;

  @Option(
      names = "--chunks",
      paramLabel = "N",
      description = "Most chunks. Default: as many as the text has.")
  int chunks;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      converter = OutputFile.Name.class,
      description = "Write the result as JSON.")
  Path json;

  @Mixin ModelOptions modelOptions;

  PerplexityCommand(Console console) {
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
      Perplexity result = measure(model, Optional.ofNullable(reference), content, context);
      print(result);
      if (json != null) {
        writeJson(result);
      }
      console.err().println(model.report().summary());
    }
    return 0;
  }

  private OutputFile jsonFile() {
    return new OutputFile("--json", json);
  }

  private Perplexity measure(
      LlamaModel model, Optional<LlamaModel> reference, String content, int context) {
    int[] tokens = Perplexity.tokens(model, content);
    int total = chunks == 0 ? tokens.length / context : chunks;
    try (LoadProgressBar bar = new LoadProgressBar(console, "perplexity", " chunks", 1)) {
      return Perplexity.measure(
          model, reference, tokens, context, chunks, done -> bar.packed(done, total));
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

  private void print(Perplexity p) {
    line(
        "perplexity %.4f +/- %.5f (%d chunks of %d tokens, %d scored)",
        p.value(), p.uncertainty(), p.chunks(), p.context(), p.scored());
    if (p.divergence().isEmpty()) {
      return;
    }
    Divergence d = p.divergence().get();
    line("against %s", against);
    line("  its perplexity       %.4f", d.referencePerplexity());
    line("  ln of the ratio      %.6f +/- %.6f", d.logRatio().value(), d.logRatio().uncertainty());
    line(
        "  KL divergence        mean %.6f +/- %.6f, median %.6f, 90 %% %.6f, 95 %% %.6f, 99 %% %.6f, largest %.6f",
        d.mean().value(),
        d.mean().uncertainty(),
        d.percentile(0.5),
        d.percentile(0.9),
        d.percentile(0.95),
        d.percentile(0.99),
        d.percentile(1));
    line("  same likeliest token %.2f %%", 100 * d.sameLikeliest());
    line("  probability          RMS difference %.3f %%", 100 * d.probability());
    line("  NMSE of the logits   %.3e", d.nmse());
  }

  private void line(String format, Object... values) {
    console.out().println(String.format(Locale.ROOT, format, values));
  }

  private void writeJson(Perplexity p) {
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("model", modelOptions.model == null ? "demo" : modelOptions.model.toString());
    root.put("text", text.toString());
    root.put("chunks", p.chunks());
    root.put("context", p.context());
    root.put("scored", p.scored());
    root.put("perplexity", mean(new Mean(p.value(), p.uncertainty())));
    p.divergence().ifPresent(d -> root.put("against", divergence(d)));
    jsonFile().write(Json.bytes(root));
  }

  private Map<String, Object> divergence(Divergence d) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("model", against.toString());
    map.put("perplexity", d.referencePerplexity());
    map.put("logRatio", mean(d.logRatio()));
    map.put("klDivergence", mean(d.mean()));
    for (int percent : new int[] {50, 90, 95, 99, 100}) {
      map.put("klPercentile" + percent, d.percentile(percent / 100.0));
    }
    map.put("sameLikeliest", d.sameLikeliest());
    map.put("probabilityRms", d.probability());
    map.put("logitsNmse", d.nmse());
    return map;
  }

  private static Map<String, Object> mean(Mean mean) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("value", mean.value());
    map.put("uncertainty", mean.uncertainty());
    return map;
  }
}

package dev.quern.cli.model;

import dev.quern.cli.console.Console;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/// The options that say which model runs, on what.
public final class ModelOptions extends LoadingOptions {
  private static final Logger LOG = System.getLogger("dev.quern.cli");

  public static final String MODEL =
      "GGUF file (of shards, the first), or a model's folder: config.json or params.json, tokenizer.json, and the weights as safetensors or consolidated.00.pth. Default: the demo model that Quern carries.";

  @Option(
      names = {"-m", "--model"},
      paramLabel = "PATH",
      description = MODEL)
  public Path model;

  ModelOptions() {}

  /// Loads the model, with a progress bar where that takes a while and a person watches.
  public LlamaModel load(Console console) throws IOException {
    return load(console, options());
  }

  /// [#load(Console)] with options that a command has changed.
  public LlamaModel load(Console console, LoadOptions changed) throws IOException {
    return load(console, Optional.ofNullable(model), changed);
  }

  /// Loads a model, or the demo.
  public static LlamaModel load(Console console, Optional<Path> model, LoadOptions changed)
      throws IOException {
    try (LoadProgressBar progress = new LoadProgressBar(console)) {
      LoadOptions options = changed.withProgress(progress);
      LlamaModel loaded =
          model.isEmpty() ? LlamaModel.loadDemo(options) : LlamaModel.load(model.get(), options);
      LOG.log(Level.INFO, () -> loaded.report().summary());
      if (changed.context() != 0) { // asked for, so said before any of it is allocated
        console.notes().println(Metrics.kvCache(loaded));
      }
      return loaded;
    }
  }

  /// What tells results of this model, so run, from others: its name and size, and the options that
  /// change what it says.
  public String identity() throws IOException {
    long bytes = 0;
    if (model != null) {
      try (Stream<Path> files = Files.walk(model)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          bytes += Files.size(file);
        }
      }
    }
    return List.of(
            model == null
                ? "demo"
                : String.valueOf(model.toAbsolutePath().normalize().getFileName()),
            bytes,
            String.valueOf(chatTemplate),
            String.valueOf(preTokenizer),
            kv,
            context,
            String.valueOf(numerics))
        .toString();
  }

  /// The tokenizer alone, which needs no weights; the demo's where no model is named.
  public Tokenizer loadTokenizer() throws IOException {
    Optional<String> name = Optional.ofNullable(preTokenizer);
    return model == null
        ? LlamaModel.loadDemoTokenizer(name)
        : LlamaModel.loadTokenizer(model, name);
  }
}

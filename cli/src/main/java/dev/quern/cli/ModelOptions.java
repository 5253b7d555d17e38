package dev.quern.cli;

import dev.quern.KernelOptions;
import dev.quern.data.KvFormat;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/// The options that say which model runs, on what.
final class ModelOptions {
  /// Element formats of the KV cache, as users name them.
  enum Kv {
    F16(KvFormat.F16),
    F32(KvFormat.F32);

    private final KvFormat format;

    Kv(KvFormat format) {
      this.format = format;
    }
  }

  /// What kernels may round.
  enum NumericsChoice {
    ANY,
    EXACT
  }

  @Option(
      names = {"-m", "--model"},
      paramLabel = "PATH",
      description =
          "GGUF file (of shards, the first), or a model's folder: config.json or params.json, tokenizer.json, and the weights as safetensors or consolidated.00.pth. Default: the demo model that Quern carries.")
  Path model;

  @Option(
      names = {"-p", "--provider"},
      paramLabel = "LIST",
      description =
          "Kernel providers: auto, one name, or an ordered list such as kleidi?,vector,scalar (? = may be absent). Default: the system property quern.provider, else auto.")
  String provider;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Threads. Default: the physical cores.")
  Integer threads;

  @Option(
      names = "--kv",
      paramLabel = "FORMAT",
      description = "KV cache: f16 or f32. Default: f16.")
  Kv kv = Kv.F16;

  @Option(
      names = {"-c", "--context"},
      paramLabel = "N",
      description = "Positions of the KV cache. Default: the model's, at most 4096.")
  int context;

  @Option(
      names = "--numerics",
      paramLabel = "KIND",
      description =
          "exact: no kernel rounds activations; any: the provider chooses. Default: the system property quern.numerics, else any.")
  NumericsChoice numerics;

  ModelOptions() {}

  /// Loads the model, with a progress bar where that takes a while and a person watches.
  LlamaModel load(Console console) throws IOException {
    return load(console, options());
  }

  /// [#load(Console)] with options that a command has changed.
  LlamaModel load(Console console, LoadOptions changed) throws IOException {
    try (LoadProgressBar progress = new LoadProgressBar(console)) {
      LoadOptions options = changed.withProgress(progress);
      return model == null ? LlamaModel.loadDemo(options) : LlamaModel.load(model, options);
    }
  }

  /// What the options come to, over the system properties.
  LoadOptions options() {
    KernelOptions kernels = KernelOptions.fromSystem();
    if (provider != null) {
      kernels = kernels.withProvider(provider);
    }
    if (numerics != null) {
      kernels = kernels.with("quern.numerics", numerics.name().toLowerCase(java.util.Locale.ROOT));
    }
    LoadOptions options =
        LoadOptions.defaults().withKernels(kernels).withKv(kv.format).withContext(context);
    return threads == null ? options : options.withThreads(threads);
  }
}

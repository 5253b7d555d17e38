package dev.quern.llama;

import dev.quern.Kernels;
import dev.quern.SelectionException;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.LlamaWeights;
import dev.quern.llama.load.KvMemory;
import dev.quern.llama.load.LoadMemory;
import dev.quern.llama.load.Meanwhile;
import dev.quern.llama.load.OperatorSpecs;
import dev.quern.llama.load.Surroundings;
import dev.quern.llama.load.WarmUp;
import dev.quern.llama.load.WeightLoader;
import dev.quern.llama.machine.HugePages;
import dev.quern.llama.observe.FlightRecorder;
import dev.quern.llama.observe.ObservedKernels;
import dev.quern.llama.text.RanOutOfMemory;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiFunction;

/// Loads a model: finds providers, opens the checkpoint, chooses kernels, packs weights, and warms
/// up what is packed.
///
/// @param surroundings what it looks at beside the source
record ModelLoader(ModelSource source, LoadOptions options, Surroundings surroundings) {
  private static final Logger LOG = System.getLogger("dev.quern.llama");

  /// See [LlamaModel#load(java.nio.file.Path, LoadOptions)].
  LlamaModel load() throws IOException {
    long start = System.nanoTime();
    surroundings
        .cpus()
        .get()
        .warning(options.threads())
        .ifPresent(warning -> LOG.log(Level.WARNING, warning));
    try {
      LlamaModel model = load(start);
      log(model);
      return model;
    } catch (Error | SelectionException e) { // no provider can answer in a full heap
      Optional<OutOfMemoryError> heap = RanOutOfMemory.behind(e);
      if (heap.isPresent()) {
        throw SystemFailures.outOfMemory("loading ", source.name(), heap.get());
      }
      if (SystemFailures.isLostPage(e)) {
        throw SystemFailures.lostPage(source.name(), e);
      }
      throw e;
    }
  }

  private LlamaModel load(long start) throws IOException {
    // Providers are found, and native code linked, while the file's header and vocabulary are read.
    Meanwhile<Kernels> kernels =
        Meanwhile.start("quern-providers", () -> Kernels.load(options.kernels()));
    try {
      return load(kernels, start);
    } catch (Throwable t) { // rethrown: only what was opened here is released
      close(kernels, t);
      throw t;
    }
  }

  /// Closes providers, those too that nobody has waited for yet.
  ///
  /// @param failure that is on its way to the caller; it may be theirs
  private static void close(Meanwhile<Kernels> found, Throwable failure) {
    try {
      found.join().close();
    } catch (IOException | RuntimeException | Error e) {
      if (e != failure) {
        failure.addSuppressed(e);
      }
    }
  }

  private LlamaModel load(Meanwhile<Kernels> kernels, long start) throws IOException {
    HugePages pages = HugePages.of(options.kernels(), surroundings.hugePages());
    ModelResources resources = new ModelResources(options.threads(), pages);
    try {
      return load(kernels, resources, start);
    } catch (Throwable t) { // rethrown: only what was opened here is released
      resources.close();
      throw t;
    }
  }

  private LlamaModel load(Meanwhile<Kernels> kernels, ModelResources resources, long start)
      throws IOException {
    try (Checkpoint checkpoint = source.open();
        Meanwhile<Optional<Tokenizer>> tokenizer =
            Meanwhile.start("quern-vocabulary", () -> tokenizer(checkpoint));
        WarmUp warmUp = warmUp(checkpoint)) {
      int context = options.context(checkpoint.config());
      Network network = network(checkpoint, kernels.join(), context, resources, warmUp);
      Language language = new Language(tokenizer.join(), checkpoint.chatTemplate());
      warmUp.join();
      double seconds = (System.nanoTime() - start) / 1e9;
      return new LlamaModel(
          source, options, surroundings, observed(network), language, resources, seconds);
    }
  }

  private Network network(
      Checkpoint checkpoint, Kernels kernels, int context, ModelResources resources, WarmUp warmUp)
      throws IOException {
    LlamaConfig config = checkpoint.config();
    KvMemory kv = new KvMemory(config, options.kv());
    kv.requireFits(context, surroundings.available().get());
    LoadMemory memory =
        new LoadMemory(
            resources.pages().forWeights(WeightLoader.bytes(checkpoint), resources.packed()),
            surroundings.available(),
            kv,
            context,
            LoadMemory.LARGE);
    ForwardPass.Operators operators =
        OperatorSpecs.of(config, context, options.kv()).choose(kernels);
    warmUp.operators(operators, options.kv());
    WeightLoader loader =
        new WeightLoader(
            checkpoint,
            kernels,
            resources.workers(),
            resources.mappings(),
            memory,
            options.progress()::packed);
    LlamaWeights weights = loader.load(config, warmUp);
    return new Network(config, context, loader.heldBytes(), kernels, operators, weights);
  }

  private Network observed(Network network) {
    return new Network(
        network.config(),
        network.context(),
        network.weightBytes(),
        network.kernels(),
        observed(options, ObservedKernels::observed, network.operators()),
        observed(options, ObservedKernels::observed, network.weights()));
  }

  /// Kernels whose calls the flight recorder, and the profile if there is one, hear.
  static <K> K observed(
      LoadOptions options, BiFunction<ObservedKernels<?>, K, K> observed, K kernels) {
    K recorded = observed.apply(FlightRecorder.KERNELS, kernels);
    return options.profile().isPresent()
        ? observed.apply(options.profile().get().kernels(), recorded)
        : recorded;
  }

  private Optional<Tokenizer> tokenizer(Checkpoint checkpoint) throws IOException {
    Optional<Tokenizer> tokenizer = checkpoint.tokenizer(options.preTokenizer());
    int expected = checkpoint.config().vocabulary();
    if (tokenizer.isPresent() && tokenizer.get().vocabularySize() > expected) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: the vocabulary has %d tokens, expected at most %d, the rows of token_embd.weight",
              tokenizer.get().vocabularySize(),
              expected));
    }
    return tokenizer;
  }

  private WarmUp warmUp(Checkpoint checkpoint) {
    LlamaConfig config = checkpoint.config();
    return new WarmUp(
        config,
        Math.min(options.batch(), options.context(config)),
        WeightLoader.bytes(checkpoint) >= surroundings.warmUpFrom());
  }

  /// Not INFO: an application that has configured no logging would get these on stderr.
  private void log(LlamaModel model) {
    LOG.log(
        Level.DEBUG,
        () -> String.format(Locale.ROOT, "%s: %s", source.name(), model.report().summary()));
    LOG.log(
        Level.DEBUG,
        () ->
            String.format(
                Locale.ROOT,
                "%s: KV cache of a session: %d bytes for %d positions (%s), allocated as it grows",
                source.name(),
                model.kvCacheBytes(),
                model.context(),
                options.kv()));
  }
}

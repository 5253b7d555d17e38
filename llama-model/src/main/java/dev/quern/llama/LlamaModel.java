package dev.quern.llama;

import dev.quern.KernelReport;
import dev.quern.data.KvFormat;
import dev.quern.data.Workers;
import dev.quern.llama.checkpoint.DemoModel;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.forward.ByReach;
import dev.quern.llama.forward.ForwardPass;
import dev.quern.llama.forward.KvCaches;
import dev.quern.llama.forward.LlamaWeights;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.load.KvMemory;
import dev.quern.llama.load.OperatorSpecs;
import dev.quern.llama.load.Surroundings;
import dev.quern.llama.machine.HugePages;
import dev.quern.llama.observe.ObservedKernels;
import dev.quern.llama.tokenizer.ChatFormat;
import dev.quern.llama.tokenizer.ChatTemplate;
import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.op.AttentionKernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;

/// A Llama model, loaded and packed: configuration, tokenizer and kernels. Immutable; any number of
/// sessions share it, from any threads.
///
/// ```java
/// try (LlamaModel model = LlamaModel.load(Path.of("model.gguf"));
///     LlamaSession session = model.newSession()) {
///   session.generate("Once upon a time", GenerationOptions.greedy(100), System.out::print);
/// }
/// ```
///
/// @since 0.1
/// @stability api
public final class LlamaModel implements AutoCloseable {
  private final ModelSource source;
  private final LoadOptions options;
  private final Surroundings surroundings;
  private final Network network;
  private final Language language;
  private final ModelResources resources;
  private final double loadSeconds;
  private final Openings openings = new Openings();
  private final Fingerprint fingerprint;

  /// @param source where it came from, which is opened again if its numbers go wrong
  /// @param resources are closed with it
  LlamaModel(
      ModelSource source,
      LoadOptions options,
      Surroundings surroundings,
      Network network,
      Language language,
      ModelResources resources,
      double loadSeconds) {
    this.source = source;
    this.options = options;
    this.surroundings = surroundings;
    this.network = network;
    this.language = language;
    this.resources = resources;
    this.loadSeconds = loadSeconds;
    fingerprint = new Fingerprint(source, network.config());
  }

  /// Loads a GGUF file, or a model's folder, with [LoadOptions#defaults()].
  public static LlamaModel load(Path file) throws IOException {
    return load(file, LoadOptions.defaults());
  }

  /// Loads a GGUF file (the first shard where there are several), or a folder as Hugging Face or
  /// Meta lays it out: `config.json` or `params.json`, `tokenizer.json`, and the weights as
  /// safetensors (one file, or an index and shards) or as `consolidated.00.pth`.
  ///
  /// @throws LlamaException if it is not a Llama model as Quern runs it
  /// @throws dev.quern.llama.gguf.GgufException if a GGUF file is absent, or damaged
  /// @throws dev.quern.llama.checkpoint.CheckpointException if a folder's file is
  /// @throws dev.quern.llama.tokenizer.TokenizerException if its vocabulary can't be used
  /// @throws dev.quern.SelectionException if the providers that were asked for can't run it
  /// @throws LlamaException also if weights and the context's KV cache take more memory than is
  ///   available, if memory, threads or the heap run out, if the file is cut while it is read, or
  ///   if a provider fails at packing a tensor
  /// @throws dev.quern.ProviderException if a provider fails otherwise
  public static LlamaModel load(Path file, LoadOptions options) throws IOException {
    return load(file, options, Surroundings.THIS_MACHINE);
  }

  static LlamaModel load(Path file, LoadOptions options, Surroundings surroundings)
      throws IOException {
    return new ModelLoader(ModelSource.of(file), options, surroundings).load();
  }

  /// Loads the demo model, 0.85 M parameters that write little stories. It is in an artifact of its
  /// own, `dev.quern:quern-demo-model`. Its conversations are texts that go on
  /// ([ChatFormat#PLAIN]), unless the options say otherwise.
  ///
  /// @throws LlamaException if that is not there
  public static LlamaModel loadDemo(LoadOptions options) throws IOException {
    return new ModelLoader(ModelSource.DEMO, options, Surroundings.THIS_MACHINE).load();
  }

  /// Says which provider would run each operator of a model, without loading its weights.
  ///
  /// @param file a GGUF file or a model's folder
  /// @throws dev.quern.SelectionException if the providers that were asked for can't run it
  public static KernelReport explain(Path file, LoadOptions options) throws IOException {
    return ModelExplainer.explain(ModelSource.of(file), options);
  }

  /// Why no model that is loaded so has memory in huge pages, in a few words; empty if one can,
  /// where it is large enough. See [#pages()].
  ///
  /// @throws LlamaException if `quern.hugepages` has no value that it can have
  public static Optional<String> hugePageRefusal(LoadOptions options) {
    return ModelExplainer.hugePageRefusal(options);
  }

  /// The threads of a model that is loaded so, and what the process may compute on, in words.
  public static String threads(LoadOptions options) {
    return ModelExplainer.threads(options);
  }

  /// The kernels that [#explain] asks for, each time that it does, for a cache of the whole context
  /// that the model was trained for. No provider is asked, and no weight is read.
  ///
  /// @param file a GGUF file or a model's folder
  /// @param kv element format of the KV cache
  public static List<NeededKernel> neededKernels(Path file, KvFormat kv) throws IOException {
    return ModelExplainer.neededKernels(ModelSource.of(file), kv);
  }

  /// [#explain] for the demo model.
  public static KernelReport explainDemo(LoadOptions options) throws IOException {
    return ModelExplainer.explain(ModelSource.DEMO, options);
  }

  /// Reads the vocabulary of a GGUF file or a model's folder, with or without weights.
  public static Tokenizer loadTokenizer(Path file) throws IOException {
    return loadTokenizer(file, Optional.empty());
  }

  /// As [#loadTokenizer(Path)].
  ///
  /// @param preTokenizer how words are cut, where it is not to be what a GGUF file says
  public static Tokenizer loadTokenizer(Path file, Optional<String> preTokenizer)
      throws IOException {
    return Language.readTokenizer(file, preTokenizer);
  }

  /// [#loadTokenizer] for the demo model.
  public static Tokenizer loadDemoTokenizer() throws IOException {
    return loadDemoTokenizer(Optional.empty());
  }

  /// [#loadTokenizer(Path, Optional)] for the demo model.
  public static Tokenizer loadDemoTokenizer(Optional<String> preTokenizer) throws IOException {
    try (GgufFile demo = openDemo()) {
      return Tokenizer.from(demo.metadata(), preTokenizer);
    }
  }

  /// The demo model's file, open, and in memory.
  public static GgufFile openDemo() throws IOException {
    return DemoModel.open();
  }

  /// The model's shape.
  public LlamaConfig config() {
    return network.config();
  }

  /// Text to tokens and back.
  ///
  /// @throws LlamaException if the file holds no vocabulary
  public Tokenizer tokenizer() {
    return language
        .tokenizer()
        .orElseThrow(() ->
            new LlamaException(
                "model: the file holds no vocabulary, expected token ids, or in a folder tokenizer.json"));
  }

  /// Whether the file holds a vocabulary.
  public boolean hasTokenizer() {
    return language.tokenizer().isPresent();
  }

  /// The template that the model was trained to converse in, and the time of this call.
  ///
  /// @throws dev.quern.llama.tokenizer.TokenizerException if it has none, or one that can't be run
  public ChatTemplate chatTemplate() {
    Optional<ChatFormat> format = options.chatFormat().or(source::chatFormat);
    return ChatTemplate.of(tokenizer(), language.chatTemplate(), format, LocalDate.now());
  }

  /// Which provider runs what, and why.
  public KernelReport report() {
    return network.kernels().report();
  }

  /// Positions of a session's KV cache.
  public int context() {
    return network.context();
  }

  /// Bytes of weights in memory: packed ones, and those of the file that go on being read.
  public long weightBytes() {
    return network.weightBytes();
  }

  /// Bytes that a session's KV cache takes once all positions are used, which it grows to.
  public long kvCacheBytes() {
    return kvMemory().bytes(context());
  }

  /// Element format of a session's KV cache.
  public KvFormat kvFormat() {
    return options.kv();
  }

  /// Whether packed weights, and the KV caches of sessions that are open, lie in huge pages.
  public PageUse pages() {
    return PageUse.of(resources.pages());
  }

  /// Threads that take part in every operator.
  public int threads() {
    return resources.workers().parallelism();
  }

  /// How long loading took.
  public double loadSeconds() {
    return loadSeconds;
  }

  /// Opens a session: a KV cache and buffers for one conversation.
  ///
  /// @throws LlamaException if the machine has no memory left for the context, with the largest
  ///   that fits
  /// @throws IllegalStateException if the model is closed
  public LlamaSession newSession() {
    return openings.open(
        "opening a session",
        () -> {
          kvMemory().requireFits(context(), surroundings.available().get());
          return new LlamaSession(this, options);
        });
  }

  /// Opens an embedder, which turns texts into vectors, a text at a time.
  ///
  /// @throws LlamaException if the machine has no memory left for the context
  /// @throws IllegalStateException if the model is closed
  public Embedder newEmbedder() {
    return openings.open(
        "opening an embedder",
        () -> {
          kvMemory().requireFits(context(), surroundings.available().get());
          return new Embedder(this, options);
        });
  }

  /// Opens an engine, which runs many requests at once.
  ///
  /// @throws LlamaException if the machine has no memory left for the KV caches of so many
  ///   sequences and prefixes
  /// @throws IllegalStateException if the model is closed
  public Engine newEngine(EngineOptions options) {
    return newEngine(options, Optional.empty());
  }

  /// As [#newEngine(EngineOptions)], with a small model of the same vocabulary that guesses what
  /// this one is going to say (see [Engine]). It ends with whichever of the two is closed first.
  ///
  /// @param draft with a context at least as large as this one's
  /// @throws LlamaException also if the two models have different vocabularies, or the draft's
  ///   context is smaller
  public Engine newEngine(EngineOptions options, LlamaModel draft) {
    return newEngine(options, Optional.of(draft));
  }

  private Engine newEngine(EngineOptions options, Optional<LlamaModel> draft) {
    requireOpen();
    draft.ifPresent(d -> Drafter.require(this, d));
    Engine engine =
        openings.open(
            "opening an engine",
            () -> {
              requireFits(options, 0);
              draft.ifPresent(
                  d -> d.requireFits(options, options.caches() * kvMemory().bytes(context())));
              return new Engine(this, options, this.options, draft);
            });
    draft.ifPresent(d -> d.openings.add(engine));
    return engine;
  }

  /// @param taken bytes that others are going to take
  private void requireFits(EngineOptions options, long taken) {
    kvMemory().requireFits(options.caches(), context(), taken, surroundings.available().get());
  }

  Drafter newDrafter(EngineOptions engine, int vocabulary) {
    return new Drafter(this, engine, options, vocabulary);
  }

  /// Caches for a sequence.
  KvCaches newCaches() {
    return new KvCaches(config(), options.kv(), context(), hugePages());
  }

  /// @throws IllegalStateException if it is not
  void requireOpen() {
    openings.requireOpen();
  }

  /// What messages call it: the path that it was loaded from, or the demo's name.
  String name() {
    return source.name();
  }

  private KvMemory kvMemory() {
    return new KvMemory(network.config(), options.kv());
  }

  HugePages hugePages() {
    return resources.pages();
  }

  LlamaWeights weights() {
    return network.weights();
  }

  /// @param arena where activations and scratch are allocated
  ForwardPass newForwardPass(
      ForwardPass.Operators operators, ForwardPass.Limits limits, Arena arena) {
    return new ForwardPass(config(), weights(), operators, limits, workers(), arena);
  }

  ForwardPass.Operators operators() {
    return network.operators();
  }

  /// Those for a batch of several sequences.
  ForwardPass.Operators operatorsFor(int sequences) {
    ByReach<AttentionKernel> attention =
        OperatorSpecs.of(config(), context(), options.kv())
            .attention()
            .map(spec -> network.kernels().attention(spec.withSequences(sequences)));
    return operators()
        .withAttention(
            attention.map(
                kernel -> ModelLoader.observed(options, ObservedKernels::observed, kernel)));
  }

  Optional<KernelProfile> profile() {
    return options.profile();
  }

  Workers workers() {
    WorkerPool pool = resources.workers();
    return options.profile().map(p -> p.timed(pool)).orElse(pool);
  }

  /// What tells this model from others, in files that only make sense with it.
  Fingerprint fingerprint() {
    return fingerprint;
  }

  NonFinite nonFinite() {
    return new NonFinite(source, resources.workers());
  }

  void forget(Openings.Opening opening) {
    openings.forget(opening);
  }

  /// Closes the model and what is open of it, sessions, engines and embedders: what runs is
  /// cancelled and waited for. Calls from several threads return when it is closed.
  ///
  /// @throws IllegalStateException inside a callback of one of its sessions, which it would have to
  ///   wait for; nothing is closed then. Call [LlamaSession#cancel()] there, and this afterwards
  @Override
  public void close() {
    openings.close(() -> {
      try {
        resources.close();
      } finally {
        network.kernels().close();
      }
    });
  }
}

package dev.quern.llama;

import dev.quern.KernelReport;
import dev.quern.Kernels;
import dev.quern.SelectionException;
import dev.quern.data.KvFormat;
import dev.quern.data.Workers;
import dev.quern.llama.checkpoint.ModelFolder;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.text.RanOutOfMemory;
import dev.quern.llama.tokenizer.ChatTemplate;
import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.llama.tokenizer.TokenizerFolder;
import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/// A Llama model, loaded and packed: configuration, tokenizer and kernels. Immutable; any number of
/// sessions share it, from any threads.
///
/// ```java
/// try (LlamaModel model = LlamaModel.load(Path.of("model.gguf"));
///     LlamaSession session = model.newSession()) {
///   session.generate("Once upon a time", GenerationOptions.greedy(100), System.out::print);
/// }
/// ```
public final class LlamaModel implements AutoCloseable {
  private static final Logger LOG = System.getLogger("dev.quern.llama");
  private static final String DEMO = "quern-demo.gguf";

  private final String name;
  private final Source source;
  private final LlamaConfig config;
  private final Optional<Tokenizer> tokenizer;
  private final Optional<String> chatTemplate; // Jinja, as the file has it
  private final LlamaWeights weights;
  private final ForwardPass.Operators operators;
  private final Kernels kernels;
  private final LoadOptions options;
  private final Surroundings surroundings;
  private final int context;
  private final ModelResources resources;
  private final double loadSeconds;
  private final Set<LlamaSession> sessions = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  private LlamaModel(
      String name,
      Source source,
      LlamaConfig config,
      Optional<Tokenizer> tokenizer,
      Optional<String> chatTemplate,
      LlamaWeights weights,
      ForwardPass.Operators operators,
      Kernels kernels,
      LoadOptions options,
      Surroundings surroundings,
      int context,
      ModelResources resources,
      double loadSeconds) {
    this.name = name;
    this.source = source;
    this.config = config;
    this.tokenizer = tokenizer;
    this.chatTemplate = chatTemplate;
    this.weights = weights;
    this.operators = operators;
    this.kernels = kernels;
    this.options = options;
    this.surroundings = surroundings;
    this.context = context;
    this.resources = resources;
    this.loadSeconds = loadSeconds;
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
    return load(file.toString(), () -> Checkpoint.open(file), options, surroundings);
  }

  /// Opens a checkpoint.
  @FunctionalInterface
  interface Source {
    Checkpoint open() throws IOException;
  }

  private static LlamaModel load(
      String name, Source source, LoadOptions options, Surroundings surroundings)
      throws IOException {
    long start = System.nanoTime();
    surroundings
        .cpus()
        .get()
        .warning(options.threads())
        .ifPresent(warning -> LOG.log(Level.WARNING, warning));
    // Providers are found, and native code linked, while the file's header and vocabulary are read.
    try (Meanwhile<Kernels> kernels =
        Meanwhile.start("quern-providers", () -> Kernels.load(options.kernels()))) {
      try {
        HugePages pages = HugePages.of(options.kernels(), surroundings.hugePages());
        ModelResources resources = new ModelResources(options.threads(), pages);
        try {
          return load(name, source, options, surroundings, kernels, resources, start);
        } catch (Throwable t) { // rethrown: only what was opened here is released
          resources.close();
          throw t;
        }
      } catch (Throwable t) {
        closeFound(kernels, t);
        throw t;
      }
    } catch (Error | SelectionException e) { // no provider can answer in a full heap
      Optional<OutOfMemoryError> heap = RanOutOfMemory.behind(e);
      if (heap.isPresent()) {
        throw SystemFailures.outOfMemory("loading ", name, heap.get());
      }
      if (SystemFailures.isLostPage(e)) {
        throw SystemFailures.lostPage(name, e);
      }
      throw e;
    }
  }

  /// Closes providers, those too that nobody has waited for yet.
  ///
  /// @param failure that is on its way to the caller; it may be theirs
  private static void closeFound(Meanwhile<Kernels> found, Throwable failure) {
    try {
      found.join().close();
    } catch (IOException | RuntimeException | Error e) {
      if (e != failure) {
        failure.addSuppressed(e);
      }
    }
  }

  private static LlamaModel load(
      String name,
      Source source,
      LoadOptions options,
      Surroundings surroundings,
      Meanwhile<Kernels> found,
      ModelResources resources,
      long start)
      throws IOException {
    try (Checkpoint checkpoint = source.open();
        Meanwhile<Optional<Tokenizer>> tokenizer =
            Meanwhile.start("quern-vocabulary", () -> tokenizer(checkpoint, options));
        WarmUp warmUp = warmUp(checkpoint, options, surroundings)) {
      LlamaConfig config = checkpoint.config();
      int context = context(options, config);
      Kernels kernels = found.join();
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
      LlamaWeights weights =
          new WeightLoader(checkpoint, kernels, resources, memory, options.progress())
              .load(config, warmUp);
      Optional<Tokenizer> vocabulary = tokenizer.join();
      warmUp.join();
      operators = FlightRecorder.KERNELS.observed(operators);
      weights = FlightRecorder.KERNELS.observed(weights);
      if (options.profile().isPresent()) {
        operators = options.profile().get().kernels().observed(operators);
        weights = options.profile().get().kernels().observed(weights);
      }
      double seconds = (System.nanoTime() - start) / 1e9;
      LlamaModel model =
          new LlamaModel(
              name,
              source,
              config,
              vocabulary,
              checkpoint.chatTemplate(),
              weights,
              operators,
              kernels,
              options,
              surroundings,
              context,
              resources,
              seconds);
      // Not INFO: an application that has configured no logging would get these on stderr.
      LOG.log(
          Level.DEBUG,
          () -> String.format(Locale.ROOT, "%s: %s", name, kernels.report().summary()));
      LOG.log(
          Level.DEBUG,
          () ->
              String.format(
                  Locale.ROOT,
                  "%s: KV cache of a session: %d bytes for %d positions (%s), allocated as it"
                      + " grows",
                  name,
                  model.kvCacheBytes(),
                  context,
                  options.kv()));
      return model;
    }
  }

  /// Loads the demo model that Quern carries: 0.85 M parameters, little stories.
  public static LlamaModel loadDemo(LoadOptions options) throws IOException {
    return load(DEMO, Checkpoint::openDemo, options, Surroundings.THIS_MACHINE);
  }

  /// Says which provider would run each operator of a model, without loading its weights.
  ///
  /// @param file a GGUF file or a model's folder
  /// @throws dev.quern.SelectionException if the providers that were asked for can't run it
  public static KernelReport explain(Path file, LoadOptions options) throws IOException {
    return explain(() -> Checkpoint.open(file), options);
  }

  private static KernelReport explain(Source source, LoadOptions options) throws IOException {
    try (Kernels kernels = Kernels.load(options.kernels());
        Checkpoint checkpoint = source.open()) {
      LlamaConfig config = checkpoint.config();
      OperatorSpecs.of(config, context(options, config), options.kv()).choose(kernels);
      new WeightPlan(checkpoint).choose(kernels);
      return kernels.report();
    }
  }

  /// Why no model that is loaded so has memory in huge pages, in a few words; empty if one can,
  /// where it is large enough. See [#pages()].
  ///
  /// @throws LlamaException if `quern.hugepages` has no value that it can have
  public static Optional<String> hugePageRefusal(LoadOptions options) {
    return Surroundings.THIS_MACHINE.hugePages().refusal(options.kernels());
  }

  /// The threads of a model that is loaded so, and what the process may compute on, such as `2
  /// threads (2 cores, 4 processors, a quota of 1.50 CPUs)`.
  public static String threads(LoadOptions options) {
    return String.format(
        Locale.ROOT, "%d (%s)", options.threads(), Surroundings.THIS_MACHINE.cpus().get().text());
  }

  /// The kernels that [#explain] asks for, each time that it does, for a cache of the whole context
  /// that the model was trained for. No provider is asked, and no weight is read.
  ///
  /// @param file a GGUF file or a model's folder
  /// @param kv element format of the KV cache
  public static List<NeededKernel> neededKernels(Path file, KvFormat kv) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      LlamaConfig config = checkpoint.config();
      int context = config.contextLength();
      return Stream.concat(
              OperatorSpecs.of(config, context, kv).all().stream()
                  .map(spec -> new NeededKernel(spec, List.of(), context)),
              new WeightPlan(checkpoint)
                  .runs().stream().map(run -> new NeededKernel(run.spec(), run.stacked(), context)))
          .toList();
    }
  }

  /// [#explain] for the demo model.
  public static KernelReport explainDemo(LoadOptions options) throws IOException {
    return explain(Checkpoint::openDemo, options);
  }

  /// Reads the vocabulary of a GGUF file or a model's folder, which need not hold weights.
  public static Tokenizer loadTokenizer(Path file) throws IOException {
    return loadTokenizer(file, Optional.empty());
  }

  /// As [#loadTokenizer(Path)].
  ///
  /// @param preTokenizer how words are cut, where it is not to be what a GGUF file says
  public static Tokenizer loadTokenizer(Path file, Optional<String> preTokenizer)
      throws IOException {
    if (Files.isDirectory(file)) {
      TokenizerFolder.requireNone(preTokenizer);
      return TokenizerFolder.read(ModelFolder.open(file), List.of(), 0);
    }
    Checkpoint.requireNoPart(file);
    try (GgufFile gguf = GgufFile.open(file)) {
      return Tokenizer.from(gguf.metadata(), preTokenizer);
    }
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

  /// The demo model's file, open. It is in memory: a file to map would need a place that can be
  /// written.
  public static GgufFile openDemo() throws IOException {
    try (InputStream in = LlamaModel.class.getResourceAsStream(DEMO)) {
      return GgufFile.of(DEMO, in.readAllBytes());
    }
  }

  /// The model's shape.
  public LlamaConfig config() {
    return config;
  }

  /// Text to tokens and back.
  ///
  /// @throws LlamaException if the file holds no vocabulary
  public Tokenizer tokenizer() {
    return tokenizer.orElseThrow(() ->
        new LlamaException(
            "model: the file holds no vocabulary, expected token ids, or in a folder"
                + " tokenizer.json"));
  }

  /// Whether the file holds a vocabulary.
  public boolean hasTokenizer() {
    return tokenizer.isPresent();
  }

  /// The frame that the model was trained to converse in.
  ///
  /// @throws dev.quern.llama.tokenizer.TokenizerException if it has none that Quern knows
  public ChatTemplate chatTemplate() {
    return ChatTemplate.of(tokenizer(), chatTemplate, options.chatFormat(), LocalDate.now());
  }

  /// Which provider runs what, and why.
  public KernelReport report() {
    return kernels.report();
  }

  /// Positions of a session's KV cache.
  public int context() {
    return context;
  }

  /// Bytes that a session's KV cache takes once all positions are used: layers x 2 x KV heads x
  /// elements of a head x positions x bytes of an element. It is allocated as a conversation grows.
  public long kvCacheBytes() {
    return new KvMemory(config, options.kv()).bytes(context);
  }

  /// Element format of a session's KV cache.
  public KvFormat kvFormat() {
    return options.kv();
  }

  /// Whether packed weights, and the KV caches of sessions that are open, lie in huge pages.
  public PageUse pages() {
    return resources.pages().use();
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
    requireOpen();
    new KvMemory(config, options.kv()).requireFits(context, surroundings.available().get());
    LlamaSession session;
    try {
      session = new LlamaSession(this, options);
    } catch (OutOfMemoryError e) {
      throw SystemFailures.outOfMemory("opening a session", "", e);
    } catch (IllegalStateException e) { // closed meanwhile: its kernels say so in their words
      requireOpen();
      throw e;
    }
    sessions.add(session);
    if (closed) { // meanwhile: close() may have missed this one
      session.close();
    }
    requireOpen();
    return session;
  }

  /// @throws IllegalStateException if it is not
  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
  }

  /// What messages call it: the path that it was loaded from, or the demo's name.
  String name() {
    return name;
  }

  /// Memory that lies as packed weights do, in huge pages where these do: for measurements that
  /// decoding is compared with.
  ///
  /// @param arena that it belongs to
  public MemorySegment allocateAsWeights(long bytes, Arena arena) {
    requireOpen();
    return hugePages().exactly(bytes, arena).allocate(bytes, 64);
  }

  HugePages hugePages() {
    return resources.pages();
  }

  LlamaWeights weights() {
    return weights;
  }

  ForwardPass.Operators operators() {
    return operators;
  }

  Optional<KernelProfile> profile() {
    return options.profile();
  }

  Workers workers() {
    WorkerPool pool = resources.workers();
    return options.profile().map(p -> p.timed(pool)).orElse(pool);
  }

  NonFinite nonFinite() {
    return new NonFinite(name, source, resources.workers());
  }

  void forget(LlamaSession session) {
    sessions.remove(session);
  }

  /// Closes the model and the sessions that are open: running generations are cancelled and waited
  /// for. Calls from several threads return when it is closed.
  ///
  /// @throws IllegalStateException inside a callback of one of its sessions, which it would have to
  ///   wait for; nothing is closed then. Call [LlamaSession#cancel()] there, and this afterwards
  @Override
  public void close() {
    if (sessions.stream().anyMatch(LlamaSession::isRunningHere)) {
      throw new IllegalStateException(
          "model: close() inside a callback of one of its sessions, expected cancel() there and"
              + " close() when the call has returned");
    }
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      for (LlamaSession session : sessions) {
        session.close();
      }
      try {
        resources.close();
      } finally {
        kernels.close();
      }
    }
  }

  private static Optional<Tokenizer> tokenizer(Checkpoint checkpoint, LoadOptions options)
      throws IOException {
    Optional<Tokenizer> tokenizer = checkpoint.tokenizer(options.preTokenizer());
    int expected = checkpoint.config().vocabulary();
    if (tokenizer.isPresent() && tokenizer.get().vocabularySize() != expected) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: the vocabulary has %d tokens, expected %d, the rows of token_embd.weight",
              tokenizer.get().vocabularySize(),
              expected));
    }
    return tokenizer;
  }

  private static WarmUp warmUp(
      Checkpoint checkpoint, LoadOptions options, Surroundings surroundings) {
    LlamaConfig config = checkpoint.config();
    return new WarmUp(
        config,
        Math.min(options.batch(), context(options, config)),
        WeightLoader.bytes(checkpoint) >= surroundings.warmUpFrom());
  }

  private static int context(LoadOptions options, LlamaConfig config) {
    if (options.context() == 0) {
      return Math.min(config.contextLength(), LoadOptions.DEFAULT_CONTEXT);
    }
    if (options.context() > config.contextLength()) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "context=%d, expected at most %d, which the model was trained for",
              options.context(),
              config.contextLength()));
    }
    return options.context();
  }
}

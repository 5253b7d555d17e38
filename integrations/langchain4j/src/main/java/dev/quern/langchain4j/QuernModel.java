package dev.quern.langchain4j;

import dev.quern.KernelReport;
import dev.quern.llama.Embedder;
import dev.quern.llama.Engine;
import dev.quern.llama.EngineMetrics;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.chat.ChatEngine;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.constrain.SchemaConstraints;
import dev.quern.llama.tokenizer.ChatFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/// A model that is loaded once, for any number of chat, streaming and embedding models: its
/// weights, an engine that runs their requests side by side, and an embedder.
///
/// ```java
/// try (QuernModel shared = QuernModel.builder().modelPath(Path.of("model.gguf")).build()) {
///   ChatModel chat = QuernChatModel.builder().model(shared).temperature(0.2).build();
///   EmbeddingModel embeddings = QuernEmbeddingModel.builder().model(shared).build();
/// }
/// ```
///
/// Thread-safe.
///
/// @since 0.1
/// @stability api
public final class QuernModel implements AutoCloseable {
  private final String name;
  private final LlamaModel llama;
  private final EngineOptions options;
  private final SchemaConstraints constraints = new SchemaConstraints();

  // Opened when they are first needed, for their memory; guarded by this.
  private Engine engine;
  private ChatEngine chat;
  private Embedder embedder;

  private QuernModel(Builder builder) throws IOException {
    name = builder.name();
    options = builder.engine;
    llama =
        builder.demo
            ? LlamaModel.loadDemo(builder.load)
            : LlamaModel.load(builder.modelPath, builder.load);
  }

  public static Builder builder() {
    return new Builder();
  }

  /// What responses and `modelName` parameters call it: as the builder says, else its file's name
  /// without `.gguf`, or `demo`.
  public String name() {
    return name;
  }

  /// The model itself, for what LangChain4j has no words for. It is closed with this.
  public LlamaModel llama() {
    return llama;
  }

  /// Which provider runs what, and why.
  public KernelReport report() {
    return llama.report();
  }

  /// What the engine that all share has done, and does.
  public EngineMetrics metrics() {
    return engine().metrics();
  }

  private synchronized Engine engine() {
    if (engine == null) {
      engine = llama.newEngine(options);
    }
    return engine;
  }

  /// @throws dev.quern.QuernException if the model has no chat template that can be run, or there
  ///   is no memory for the engine's sequences
  synchronized ChatEngine chat() {
    if (chat == null) {
      chat = new ChatEngine(llama, engine());
    }
    return chat;
  }

  SchemaConstraints constraints() {
    return constraints;
  }

  synchronized Embedder embedder() {
    if (embedder == null) {
      embedder = llama.newEmbedder();
    }
    return embedder;
  }

  /// Ends all requests, and frees the memory. Closing again does nothing.
  @Override
  public void close() {
    llama.close();
  }

  /// What is loaded, and how.
  public static final class Builder {
    private Path modelPath;
    private boolean demo;
    private String modelName;
    private LoadOptions load = LoadOptions.defaults();
    private EngineOptions engine = EngineOptions.defaults();

    private Builder() {}

    /// A GGUF file, or a model's folder.
    public Builder modelPath(Path modelPath) {
      this.modelPath = modelPath;
      return this;
    }

    /// The demo model of the artifact `quern-demo-model`, which continues the contents of all
    /// messages, one behind another ([ChatFormat#PLAIN]), unless another chat format is set.
    public Builder demo() {
      demo = true;
      return this;
    }

    /// What the model is called in responses.
    public Builder modelName(String modelName) {
      this.modelName = modelName;
      return this;
    }

    /// Which providers run it, as `quern.provider` says it: `vector`, `kleidi?,vector,scalar`, or
    /// `auto`. It wins over the property.
    public Builder provider(String list) {
      load = load.withKernels(load.kernels().withProvider(list));
      return this;
    }

    /// Operators (`linear`, ...) that must run on the first provider that is asked, or `all`: as
    /// `quern.assert-no-fallback` says it, over which it wins. Else building fails.
    public Builder assertNoFallback(String... operators) {
      load =
          load.withKernels(
              load.kernels().with("quern.assert-no-fallback", String.join(",", operators)));
      return this;
    }

    /// Threads that take part in every operator; by default those that the process may use.
    public Builder threads(int threads) {
      load = load.withThreads(threads);
      return this;
    }

    /// Most tokens of a prompt and its reply; by default the model's limit, at most 4,096.
    public Builder context(int context) {
      load = load.withContext(context);
      return this;
    }

    /// Most requests that run at once; by default 8.
    public Builder parallel(int parallel) {
      engine = engine.withSequences(parallel);
      return this;
    }

    /// Most requests that wait, by default 1,000. One more is a
    /// [dev.langchain4j.exception.RateLimitException].
    public Builder queue(int queue) {
      engine = engine.withQueue(queue);
      return this;
    }

    /// The frame of conversations, in place of the model's own template.
    public Builder chatFormat(ChatFormat chatFormat) {
      load = load.withChatFormat(chatFormat);
      return this;
    }

    /// All options of loading, in place of those set before.
    public Builder loadOptions(LoadOptions load) {
      this.load = load;
      return this;
    }

    /// All options of the engine, in place of those set before.
    public Builder engineOptions(EngineOptions engine) {
      this.engine = engine;
      return this;
    }

    private String name() {
      if (modelName != null) {
        return modelName;
      }
      return demo ? "demo" : Checkpoint.nameOf(modelPath);
    }

    /// Loads the model.
    ///
    /// @throws IllegalArgumentException if it is to be both a file and the demo model, or neither
    /// @throws dev.quern.SelectionException if the providers that were asked for can't run it, or
    ///   one that may not fall back does
    /// @throws dev.quern.QuernException if it can't be loaded for another reason
    /// @throws UncheckedIOException if the file can't be read
    public QuernModel build() {
      if (demo == (modelPath != null)) {
        throw new IllegalArgumentException(
            "builder: "
                + (demo ? "both modelPath and demo" : "no model")
                + ", expected modelPath(file or folder) or demo()");
      }
      try {
        return new QuernModel(this);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}

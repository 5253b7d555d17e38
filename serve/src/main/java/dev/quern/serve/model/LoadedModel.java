package dev.quern.serve.model;

import dev.quern.llama.Engine;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.chat.ChatEngine;
import dev.quern.serve.options.ModelsOptions;
import dev.quern.serve.options.ServedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// A model that is in memory, and its engine.
public final class LoadedModel implements AutoCloseable {
  private final ServedModel served;
  private final LlamaModel model;
  private final Optional<LlamaModel> draft;
  private final Engine engine;
  private final Instant since = Instant.now();
  private final EmbeddingQueue embeddings;
  private Optional<Duration> rest = Optional.empty(); // guarded by Models
  private boolean watched; // guarded by Models
  private ChatEngine chat; // made when it is first asked for; guarded by this
  private int users; // guarded by Models
  private long lastUse; // guarded by Models

  private LoadedModel(
      ServedModel served, LlamaModel model, Optional<LlamaModel> draft, Engine engine, int queue) {
    this.served = served;
    this.model = model;
    this.draft = draft;
    this.engine = engine;
    embeddings = new EmbeddingQueue(model, queue);
  }

  static LoadedModel load(ServedModel served, ModelsOptions options) throws IOException {
    LoadOptions loading = options.loading();
    LlamaModel model =
        served.file().isPresent()
            ? LlamaModel.load(served.file().get(), loading)
            : LlamaModel.loadDemo(loading);
    Optional<LlamaModel> draft = Optional.empty();
    try {
      Optional<Path> guesses = options.draft();
      if (guesses.isPresent()) {
        draft = Optional.of(LlamaModel.load(guesses.get(), loading.withContext(model.context())));
      }
      EngineOptions engine = options.engine();
      return new LoadedModel(
          served,
          model,
          draft,
          draft.isPresent() ? model.newEngine(engine, draft.get()) : model.newEngine(engine),
          engine.queue());
    } catch (Throwable t) { // rethrown: only what was opened here is closed
      draft.ifPresent(LlamaModel::close);
      model.close();
      throw t;
    }
  }

  /// Bytes that it comes to take: weights, and the KV caches of all sequences and prefixes, twice
  /// where there is a draft, and of the embedder.
  long mostBytes(EngineOptions options) {
    long caches = (long) options.sequences() + options.prefixes();
    return bytes(model, caches + 1) + draft.map(d -> bytes(d, caches)).orElse(0L);
  }

  private static long bytes(LlamaModel model, long caches) {
    return model.weightBytes() + caches * model.kvCacheBytes();
  }

  public String name() {
    return served.name();
  }

  public ServedModel served() {
    return served;
  }

  public LlamaModel model() {
    return model;
  }

  public Engine engine() {
    return engine;
  }

  /// When it was loaded.
  public Instant since() {
    return since;
  }

  /// Conversations, in the model's own template.
  ///
  /// @throws dev.quern.llama.tokenizer.TokenizerException if it has none
  public synchronized ChatEngine chat() {
    if (chat == null) {
      chat = new ChatEngine(model, engine);
    }
    return chat;
  }

  /// Texts into vectors.
  public EmbeddingQueue embeddings() {
    return embeddings;
  }

  /// How long it stays in memory when nobody uses it; empty: until another needs the room.
  Optional<Duration> rest() {
    return rest;
  }

  void setRest(Optional<Duration> rest) {
    this.rest = rest;
  }

  /// What is left of that since it was used last.
  Optional<Duration> restLeft() {
    return rest.map(all -> all.minusNanos(System.nanoTime() - lastUse));
  }

  /// Whether somebody has to begin to watch its rest.
  boolean watchRest() {
    boolean first = rest.isPresent() && !watched;
    watched |= first;
    return first;
  }

  void unwatchRest() {
    watched = false;
  }

  /// Somebody begins, or ends, to use it.
  void used(int more) {
    users += more;
    lastUse = System.nanoTime();
  }

  boolean isIdle() {
    return users == 0;
  }

  long lastUse() {
    return lastUse;
  }

  @Override
  public void close() {
    engine.close();
    embeddings.close();
    model.close();
    draft.ifPresent(LlamaModel::close);
  }
}

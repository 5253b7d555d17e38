package dev.quern.serve.model;

import dev.quern.llama.Engine;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.chat.ChatEngine;
import dev.quern.llama.tokenizer.ChatFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;

/// A model that is in memory, and its engine.
///
/// @since 0.1
/// @stability api
public final class LoadedModel implements AutoCloseable {
  private final ServedModel served;
  private final LlamaModel model;
  private final Optional<LlamaModel> draft;
  private final Engine engine;
  private final Instant since = Instant.now();
  private ChatEngine chat; // made when it is first asked for; guarded by this
  private int users; // guarded by Models
  private long lastUse; // guarded by Models

  private LoadedModel(
      ServedModel served, LlamaModel model, Optional<LlamaModel> draft, Engine engine) {
    this.served = served;
    this.model = model;
    this.draft = draft;
    this.engine = engine;
  }

  static LoadedModel load(ServedModel served, ModelsOptions options) throws IOException {
    LoadOptions loading = options.loading();
    LlamaModel model =
        served.file().isPresent()
            ? LlamaModel.load(served.file().get(), loading)
            : LlamaModel.loadDemo(plain(loading));
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
          draft.isPresent() ? model.newEngine(engine, draft.get()) : model.newEngine(engine));
    } catch (Throwable t) { // rethrown: only what was opened here is closed
      draft.ifPresent(LlamaModel::close);
      model.close();
      throw t;
    }
  }

  /// The demo was never taught a conversation: messages are lines of a text that goes on.
  private static LoadOptions plain(LoadOptions loading) {
    return loading.chatFormat().isPresent() ? loading : loading.withChatFormat(ChatFormat.PLAIN);
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
    model.close();
    draft.ifPresent(LlamaModel::close);
  }
}

package dev.quern.langchain4j;

import dev.quern.llama.tokenizer.ChatFormat;
import java.nio.file.Path;

/// What the builders of all models have in common: a model of their own, or one that is shared.
///
/// @param <B> the builder
/// @since 0.1
/// @stability api
public abstract sealed class ModelBuilder<B extends ModelBuilder<B>>
    permits ChatModelBuilder, QuernEmbeddingModel.Builder {
  private QuernModel shared;
  private QuernModel.Builder own; // as soon as one of its settings is made

  ModelBuilder() {}

  /// What is loaded for a model that is built.
  ///
  /// @param owned whether it is closed with it
  record Loaded(QuernModel model, boolean owned) {
    void close() {
      if (owned) {
        model.close();
      }
    }
  }

  abstract B self();

  /// A model that is loaded already. Closing what is built leaves it open.
  public B model(QuernModel shared) {
    this.shared = shared;
    return self();
  }

  /// A GGUF file, or a model's folder, which is loaded for what is built alone, and closed with it.
  public B modelPath(Path modelPath) {
    own().modelPath(modelPath);
    return self();
  }

  /// The demo model of the artifact `quern-demo-model`, for what is built alone.
  public B demo() {
    own().demo();
    return self();
  }

  /// As [QuernModel.Builder#modelName].
  public B modelName(String modelName) {
    own().modelName(modelName);
    return self();
  }

  /// As [QuernModel.Builder#provider].
  public B provider(String list) {
    own().provider(list);
    return self();
  }

  /// As [QuernModel.Builder#assertNoFallback].
  public B assertNoFallback(String... operators) {
    own().assertNoFallback(operators);
    return self();
  }

  /// As [QuernModel.Builder#threads].
  public B threads(int threads) {
    own().threads(threads);
    return self();
  }

  /// As [QuernModel.Builder#context].
  public B context(int context) {
    own().context(context);
    return self();
  }

  /// As [QuernModel.Builder#parallel].
  public B parallel(int parallel) {
    own().parallel(parallel);
    return self();
  }

  /// As [QuernModel.Builder#queue].
  public B queue(int queue) {
    own().queue(queue);
    return self();
  }

  /// As [QuernModel.Builder#chatFormat].
  public B chatFormat(ChatFormat chatFormat) {
    own().chatFormat(chatFormat);
    return self();
  }

  private QuernModel.Builder own() {
    if (own == null) {
      own = QuernModel.builder();
    }
    return own;
  }

  /// @throws IllegalArgumentException if a shared model is given and settings of another
  Loaded load() {
    if (shared != null && own != null) {
      throw new IllegalArgumentException(
          "builder: model(shared) beside settings of how a model is loaded, expected one of both: make those settings on QuernModel.builder()");
    }
    return shared != null ? new Loaded(shared, false) : new Loaded(own().build(), true);
  }
}

package dev.quern.langchain4j;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingParameter;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.request.EmbeddingRequestParameters;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.embedding.response.EmbeddingResponseMetadata;
import dev.langchain4j.model.output.TokenUsage;
import dev.quern.llama.Embedder;
import dev.quern.llama.Pooling;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/// An embedding model that runs in the process: vectors of length 1, as [Embedder] makes them.
///
/// Of a request's parameters `modelName` may be its own; `dimensions` and `inputType` are an
/// [dev.langchain4j.exception.UnsupportedFeatureException]. A thread that is interrupted stops
/// between two texts. Thread-safe; one text is taken at a time.
///
/// @since 0.1
/// @stability api
public final class QuernEmbeddingModel implements EmbeddingModel, AutoCloseable {
  private final ModelBuilder.Loaded loaded;
  private final Pooling pooling;
  private final List<EmbeddingModelListener> listeners;

  private QuernEmbeddingModel(Builder builder) {
    pooling = builder.pooling;
    listeners = builder.listeners;
    loaded = builder.load();
  }

  public static Builder builder() {
    return new Builder();
  }

  /// The model that it runs on.
  public QuernModel model() {
    return loaded.model();
  }

  @Override
  public EmbeddingResponse doEmbed(EmbeddingRequest request) {
    ChatCalls.requireName(model(), request.modelName());
    return Failures.mapping(() -> {
      Tokenizer tokenizer = model().llama().tokenizer();
      Embedder embedder = model().embedder();
      List<Embedding> embeddings = new ArrayList<>();
      int tokens = 0;
      for (EmbeddingInput input : request.inputs()) {
        if (Thread.currentThread().isInterrupted()) {
          throw new InterruptedException();
        }
        int[] ids = tokenizer.encodePrompt(input.text(), false);
        embeddings.add(Embedding.from(embedder.embed(ids, pooling)));
        tokens += ids.length;
      }
      return EmbeddingResponse.builder()
          .embeddings(embeddings)
          .metadata(
              EmbeddingResponseMetadata.builder()
                  .modelName(modelName())
                  .tokenUsage(new TokenUsage(tokens))
                  .build())
          .build();
    });
  }

  @Override
  public Set<EmbeddingParameter<?>> supportedParameters() {
    return Set.of(EmbeddingRequestParameters.MODEL_NAME);
  }

  /// The model's width.
  @Override
  public int dimension() {
    return model().llama().config().width();
  }

  @Override
  public String modelName() {
    return model().name();
  }

  @Override
  public List<EmbeddingModelListener> listeners() {
    return listeners;
  }

  /// Frees the memory, if the model was loaded for it alone.
  @Override
  public void close() {
    loaded.close();
  }

  /// What it is built of.
  public static final class Builder extends ModelBuilder<Builder> {
    private Pooling pooling = Pooling.MEAN;
    private List<EmbeddingModelListener> listeners = List.of();

    private Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /// How the vectors behind a text's tokens become one; by default their mean.
    public Builder pooling(Pooling pooling) {
      this.pooling = Objects.requireNonNull(pooling, "pooling");
      return this;
    }

    public Builder listeners(List<EmbeddingModelListener> listeners) {
      this.listeners = List.copyOf(listeners);
      return this;
    }

    public Builder listeners(EmbeddingModelListener... listeners) {
      return listeners(List.of(listeners));
    }

    /// As [QuernModel.Builder#build].
    public QuernEmbeddingModel build() {
      return new QuernEmbeddingModel(this);
    }
  }
}

package dev.quern.springai;

import dev.quern.llama.Embedder;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.Pooling;
import dev.quern.llama.error.RequestException;
import io.micrometer.observation.ObservationRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.DefaultEmbeddingOptions;
import org.springframework.ai.embedding.Embedding;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.EmbeddingResponseMetadata;
import org.springframework.ai.embedding.observation.DefaultEmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationContext;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationConvention;
import org.springframework.ai.embedding.observation.EmbeddingModelObservationDocumentation;

/// Spring AI's embedding model on an [Embedder]: vectors of length 1. Any thread may call it; one
/// text is taken at a time. It does not close the embedder.
///
/// @since 0.1
/// @stability api
public final class QuernEmbeddingModel implements EmbeddingModel {
  private static final EmbeddingModelObservationConvention DEFAULT_CONVENTION =
      new DefaultEmbeddingModelObservationConvention();

  private final LlamaModel model;
  private final Embedder embedder;
  private final String name;
  private final Pooling pooling;
  private final ObservationRegistry observations;
  private EmbeddingModelObservationConvention convention = DEFAULT_CONVENTION;

  /// @param name what responses and observations call the model
  /// @param pooling where a request says nothing of it
  public QuernEmbeddingModel(
      LlamaModel model,
      Embedder embedder,
      String name,
      Pooling pooling,
      ObservationRegistry observations) {
    this.model = model;
    this.embedder = embedder;
    this.name = name;
    this.pooling = pooling;
    this.observations = observations;
  }

  /// What observations are called, in place of Spring AI's own convention.
  public void setObservationConvention(EmbeddingModelObservationConvention convention) {
    this.convention = Objects.requireNonNull(convention, "convention");
  }

  /// One vector for each text, in their order.
  ///
  /// @throws RequestException if there is no text, or if the options ask for another model, for
  ///   vectors of another size, or for what only another model's options have
  /// @throws dev.quern.llama.error.LlamaException if a text does not fit in the context, or has no
  ///   token
  @Override
  public EmbeddingResponse call(EmbeddingRequest request) {
    if (request.getInstructions().isEmpty()) {
      throw new RequestException("embedding: no text, expected at least one");
    }
    QuernEmbeddingOptions options = complete(request.getOptions());
    EmbeddingRequest complete = new EmbeddingRequest(request.getInstructions(), options);
    EmbeddingModelObservationContext context =
        EmbeddingModelObservationContext.builder()
            .embeddingRequest(complete)
            .provider(QuernChatModel.PROVIDER)
            .build();
    return EmbeddingModelObservationDocumentation.EMBEDDING_MODEL_OPERATION
        .observation(convention, DEFAULT_CONVENTION, () -> context, observations)
        .observe(() -> {
          EmbeddingResponse response =
              embedAll(complete.getInstructions(), Objects.requireNonNull(options.pooling()));
          context.setResponse(response);
          return response;
        });
  }

  private EmbeddingResponse embedAll(List<String> texts, Pooling pooling) {
    List<Embedding> embeddings = new ArrayList<>();
    int tokens = 0;
    for (String text : texts) {
      int[] ids = model.tokenizer().encodePrompt(text, false);
      tokens += ids.length;
      embeddings.add(new Embedding(embedder.embed(ids, pooling), embeddings.size()));
    }
    return new EmbeddingResponse(
        embeddings,
        new EmbeddingResponseMetadata(
            name,
            new DefaultUsage(tokens, 0),
            Map.of(QuernChatModel.KERNELS, model.report().summary())));
  }

  private QuernEmbeddingOptions complete(@Nullable EmbeddingOptions asked) {
    if (asked != null
        && !(asked instanceof QuernEmbeddingOptions)
        && asked.getClass() != DefaultEmbeddingOptions.class) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "embedding: options of %s, expected QuernEmbeddingOptions or EmbeddingOptions.builder()'s",
              asked.getClass().getName()));
    }
    if (asked != null && asked.getModel() != null && !asked.getModel().equals(name)) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "embedding: model=%s, expected none, or %s, the one that is loaded",
              asked.getModel(),
              name));
    }
    if (asked != null && asked.getDimensions() != null && asked.getDimensions() != dimensions()) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "embedding: dimensions=%d, expected none, or %d, the width of %s",
              asked.getDimensions(),
              dimensions(),
              name));
    }
    Pooling wanted =
        asked instanceof QuernEmbeddingOptions own && own.pooling() != null
            ? own.pooling()
            : pooling;
    return new QuernEmbeddingOptions(name, dimensions(), wanted);
  }

  @Override
  public float[] embed(Document document) {
    String text = document.getText();
    if (text == null) {
      throw new RequestException(
          "embedding: document " + document.getId() + " has no text, expected one of text");
    }
    return embed(text);
  }

  /// The model's width; nothing is run for it.
  @Override
  public int dimensions() {
    return embedder.width();
  }
}

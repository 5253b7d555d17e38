package dev.quern.springai;

import dev.quern.llama.Pooling;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.embedding.EmbeddingOptions;

/// What is asked of a [QuernEmbeddingModel]; what is null is left to the model.
///
/// @param model its name, which is the only one that it answers to
/// @param dimensions of a vector: the model's width, the only one that it has
/// @param pooling how the vectors behind a text's tokens become one
/// @since 0.1
/// @stability api
public record QuernEmbeddingOptions(
    @Nullable String model, @Nullable Integer dimensions, @Nullable Pooling pooling)
    implements EmbeddingOptions {

  public static QuernEmbeddingOptions of(Pooling pooling) {
    return new QuernEmbeddingOptions(null, null, pooling);
  }

  @Override
  public @Nullable String getModel() {
    return model;
  }

  @Override
  public @Nullable Integer getDimensions() {
    return dimensions;
  }
}

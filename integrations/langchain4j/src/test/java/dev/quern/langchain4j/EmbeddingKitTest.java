package dev.quern.langchain4j;

import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import java.util.List;
import org.junit.jupiter.api.AfterAll;

/// LangChain4j's own tests of embedding models.
class EmbeddingKitTest extends AbstractEmbeddingModelIT {
  private static final QuernModel STORIES = QuernModel.builder().demo().build();

  @AfterAll
  static void close() {
    STORIES.close();
  }

  @Override
  protected List<EmbeddingModel> models() {
    return List.of(QuernEmbeddingModel.builder().model(STORIES).build());
  }

  @Override
  protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
    return QuernEmbeddingModel.builder().model(STORIES).listeners(listener).build();
  }

  @Override
  protected EmbeddingModel failingModelWith(EmbeddingModelListener listener) {
    QuernEmbeddingModel closed = QuernEmbeddingModel.builder().demo().listeners(listener).build();
    closed.close();
    return closed;
  }

  @Override
  protected boolean supportsInputTypeParameter() {
    return false;
  }

  @Override
  protected boolean supportsDimensionsParameter() {
    return false;
  }

  @Override
  protected boolean supportsImageInput() {
    return false;
  }

  @Override
  protected boolean supportsInterleavedInput() {
    return false;
  }
}

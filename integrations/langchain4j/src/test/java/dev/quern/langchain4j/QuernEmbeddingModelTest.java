package dev.quern.langchain4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.quern.llama.Embedder;
import dev.quern.llama.Pooling;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class QuernEmbeddingModelTest {
  private static QuernModel stories;

  @BeforeAll
  static void load() {
    stories = QuernModel.builder().demo().build();
  }

  @AfterAll
  static void close() {
    stories.close();
  }

  @Test
  void vectorsAreTheEmbeddersInTheOrderOfTheTexts() {
    QuernEmbeddingModel mean = QuernEmbeddingModel.builder().model(stories).build();
    QuernEmbeddingModel last =
        QuernEmbeddingModel.builder().model(stories).pooling(Pooling.LAST).build();
    EmbeddingResponse response =
        mean.embed(EmbeddingRequest.builder().inputs("A cat.", "The dog ran.").build());
    try (Embedder alone = stories.llama().newEmbedder()) {
      assertArrayEquals(alone.embed("A cat.", Pooling.MEAN), vector(response, 0));
      assertArrayEquals(alone.embed("The dog ran.", Pooling.MEAN), vector(response, 1));
      assertArrayEquals(
          alone.embed("A cat.", Pooling.LAST), last.embed("A cat.").content().vector());
    }
    assertEquals("demo", response.modelName());
    int tokens =
        stories.llama().tokenizer().encodePrompt("A cat.", false).length
            + stories.llama().tokenizer().encodePrompt("The dog ran.", false).length;
    assertEquals(tokens, response.tokenUsage().inputTokenCount());
    assertEquals(mean.dimension(), vector(response, 0).length);
    assertEquals(
        1,
        mean.embed("A cat.").content().vectorAsList().stream().mapToDouble(x -> x * x).sum(),
        1e-5);
  }

  private static float[] vector(EmbeddingResponse response, int i) {
    return response.embeddings().get(i).vector();
  }

  @Test
  void whatIsRefused() {
    QuernEmbeddingModel model = QuernEmbeddingModel.builder().model(stories).build();
    EmbeddingRequest.Builder request = EmbeddingRequest.builder().input("A cat.");
    assertEquals(1, model.embed(request.modelName("demo").build()).embeddings().size());
    assertThrows(
        UnsupportedFeatureException.class, () -> model.embed(request.modelName("gpt").build()));
    assertThrows(
        UnsupportedFeatureException.class,
        () -> model.embed(request.modelName("demo").dimensions(8).build()));
    InvalidRequestException tooLong =
        assertThrows(InvalidRequestException.class, () -> model.embed("cat ".repeat(600)));
    assertTrue(tooLong.getMessage().contains("512"), tooLong.getMessage());
  }

  @Test
  void anInterruptStopsBetweenTexts() {
    QuernEmbeddingModel model = QuernEmbeddingModel.builder().model(stories).build();
    Thread.currentThread().interrupt();
    LangChain4jException e =
        assertThrows(
            LangChain4jException.class,
            () -> model.embedAll(List.of(TextSegment.from("a"), TextSegment.from("b"))));
    assertInstanceOf(InterruptedException.class, e.getCause());
    assertTrue(Thread.interrupted(), "the thread stays interrupted");
  }
}

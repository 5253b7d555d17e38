package dev.quern.springai;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.Embedder;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.Pooling;
import dev.quern.llama.error.RequestException;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.document.Document;
import org.springframework.ai.embedding.EmbeddingOptions;
import org.springframework.ai.embedding.EmbeddingRequest;
import org.springframework.ai.embedding.EmbeddingResponse;
import org.springframework.ai.embedding.observation.DefaultEmbeddingModelObservationConvention;

/// Vectors, as Spring AI asks for them, are those of an [Embedder].
class QuernEmbeddingModelTest {
  private static final List<String> TEXTS = List.of("Once upon a time", "a little dog");
  private static LlamaModel model;
  private static Embedder embedder;

  @BeforeAll
  static void load() throws Exception {
    model = LlamaModel.loadDemo(LoadOptions.defaults().withThreads(1));
    embedder = model.newEmbedder();
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static QuernEmbeddingModel embeddings(ObservationRegistry registry) {
    return new QuernEmbeddingModel(model, embedder, "demo", Pooling.MEAN, registry);
  }

  private static QuernEmbeddingModel embeddings() {
    return embeddings(ObservationRegistry.NOOP);
  }

  @Test
  void vectorsAreTheEmbedders() {
    EmbeddingResponse response = embeddings().embedForResponse(TEXTS);
    for (int i = 0; i < TEXTS.size(); i++) {
      assertEquals(i, response.getResults().get(i).getIndex());
      assertArrayEquals(
          embedder.embed(TEXTS.get(i), Pooling.MEAN), response.getResults().get(i).getOutput());
    }
    assertEquals("demo", response.getMetadata().getModel());
    int tokens =
        TEXTS.stream().mapToInt(t -> model.tokenizer().encodePrompt(t, false).length).sum();
    assertEquals(tokens, response.getMetadata().getUsage().getPromptTokens());
    assertEquals(tokens, response.getMetadata().getUsage().getTotalTokens());
    String kernels = response.getMetadata().get(QuernChatModel.KERNELS);
    assertTrue(kernels.contains("linear: scalar"), kernels);
    assertArrayEquals(
        embedder.embed(TEXTS.getFirst(), Pooling.MEAN),
        embeddings().embed(new Document(TEXTS.getFirst())));
    assertEquals(embedder.width(), embeddings().dimensions());
  }

  @Test
  void poolingIsAsAsked() {
    float[] last =
        embeddings()
            .call(new EmbeddingRequest(TEXTS, QuernEmbeddingOptions.of(Pooling.LAST)))
            .getResult()
            .getOutput();
    assertArrayEquals(embedder.embed(TEXTS.getFirst(), Pooling.LAST), last);
    assertNotEquals(embedder.embed(TEXTS.getFirst(), Pooling.MEAN)[0], last[0]);
  }

  @Test
  void whatItIsNotIsRefused() {
    assertRefused("model=ada", EmbeddingOptions.builder().model("ada").build(), "text");
    assertRefused("dimensions=3", EmbeddingOptions.builder().dimensions(3).build(), "text");
    assertRefused("options of", new Foreign(), "text");
    assertRefused("no text", EmbeddingOptions.builder().build());
    embeddings()
        .call(
            new EmbeddingRequest(
                TEXTS,
                EmbeddingOptions.builder().model("demo").dimensions(embedder.width()).build()));
  }

  private static void assertRefused(String part, EmbeddingOptions options, String... texts) {
    String message =
        assertThrows(
                RequestException.class,
                () -> embeddings().call(new EmbeddingRequest(List.of(texts), options)))
            .getMessage();
    assertTrue(message.contains(part) && message.contains("expected"), message);
  }

  private record Foreign() implements EmbeddingOptions {
    @Override
    public String getModel() {
      return "demo";
    }

    @Override
    public Integer getDimensions() {
      return null;
    }
  }

  @Test
  void anObservationSaysWhatWasDone() {
    TestObservationRegistry registry = TestObservationRegistry.create();
    embeddings(registry).embed("Once upon a time");
    TestObservationRegistryAssert.assertThat(registry)
        .hasObservationWithNameEqualTo(DefaultEmbeddingModelObservationConvention.DEFAULT_NAME)
        .that()
        .hasContextualNameEqualTo("embedding demo")
        .hasLowCardinalityKeyValue("gen_ai.operation.name", "embedding")
        .hasLowCardinalityKeyValue("gen_ai.request.model", "demo")
        .hasLowCardinalityKeyValue("gen_ai.response.model", "demo")
        .hasBeenStarted()
        .hasBeenStopped();
  }
}

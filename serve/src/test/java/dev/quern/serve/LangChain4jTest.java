package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.HttpException;
import dev.langchain4j.exception.ModelNotFoundException;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.ollama.OllamaChatModel;
import dev.langchain4j.model.ollama.OllamaEmbeddingModel;
import dev.langchain4j.model.ollama.OllamaModelCard;
import dev.langchain4j.model.ollama.OllamaModels;
import dev.langchain4j.model.ollama.OllamaStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// LangChain4j's clients of Ollama and of OpenAI, which nobody here wrote.
class LangChain4jTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final ToolSpecification WEATHER =
      ToolSpecification.builder()
          .name("weather")
          .description("Tells it.")
          .parameters(
              JsonObjectSchema.builder()
                  .addIntegerProperty("days")
                  .required("days")
                  .additionalProperties(false)
                  .build())
          .build();

  private static final ResponseFormat NUMBER =
      ResponseFormat.builder()
          .type(ResponseFormatType.JSON)
          .jsonSchema(
              JsonSchema.builder()
                  .name("number")
                  .rootElement(
                      JsonObjectSchema.builder()
                          .addEnumProperty("n", List.of("one", "two"))
                          .required("n")
                          .additionalProperties(false)
                          .build())
                  .build())
          .build();

  @TempDir static Path folder;
  private static TestServer server;

  @BeforeAll
  static void start() throws Exception {
    server = ToolModel.serve(folder);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static String ollama() {
    return server.server.address().toString();
  }

  private static String openAi() {
    return server.server.address().resolve("/v1").toString();
  }

  private static OllamaChatModel.OllamaChatModelBuilder ollamaChat() {
    return OllamaChatModel.builder()
        .baseUrl(ollama())
        .modelName("m")
        .temperature(0.0)
        .numPredict(8)
        .maxRetries(0);
  }

  private static OpenAiChatModel.OpenAiChatModelBuilder openAiChat() {
    return OpenAiChatModel.builder()
        .baseUrl(openAi())
        .apiKey("none")
        .modelName("m")
        .temperature(0.0)
        .maxTokens(8)
        .maxRetries(0);
  }

  /// A stream's text.
  private static String streamed(StreamingChatModel model, ChatRequest request) throws Exception {
    CompletableFuture<ChatResponse> end = new CompletableFuture<>();
    StringBuffer parts = new StringBuffer();
    model.chat(
        request,
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String part) {
            parts.append(part);
          }

          @Override
          public void onCompleteResponse(ChatResponse response) {
            end.complete(response);
          }

          @Override
          public void onError(Throwable error) {
            end.completeExceptionally(error);
          }
        });
    assertEquals(end.get(60, TimeUnit.SECONDS).aiMessage().text(), parts.toString());
    return parts.toString();
  }

  @Test
  void ollamaChatsWholeAndStreamed() throws Exception {
    ChatRequest ask =
        ChatRequest.builder()
            .messages(SystemMessage.from("Be brief."), UserMessage.from("Why?"))
            .build();
    ChatResponse reply = ollamaChat().build().chat(ask);
    assertFalse(reply.aiMessage().text().isEmpty());
    assertEquals(FinishReason.LENGTH, reply.finishReason());
    assertEquals(8, reply.tokenUsage().outputTokenCount());
    OllamaStreamingChatModel stream =
        OllamaStreamingChatModel.builder()
            .baseUrl(ollama())
            .modelName("m")
            .temperature(0.0)
            .numPredict(8)
            .build();
    assertEquals(reply.aiMessage().text(), streamed(stream, ask));
  }

  @Test
  void ollamaKeepsAFormatAndTellsOfTools() throws Exception {
    String text =
        ollamaChat()
            .numPredict(100)
            .build()
            .chat(
                ChatRequest.builder()
                    .messages(UserMessage.from("A number."))
                    .responseFormat(NUMBER)
                    .build())
            .aiMessage()
            .text();
    assertTrue(List.of("one", "two").contains(JSON.readTree(text).get("n").textValue()), text);
    ToolExecutionRequest call =
        ToolExecutionRequest.builder().name("weather").arguments("{\"days\":2}").build();
    ChatRequest conversation =
        ChatRequest.builder()
            .messages(
                UserMessage.from("Rain?"),
                AiMessage.from(call),
                ToolExecutionResultMessage.from(call, "dry"))
            .toolSpecifications(WEATHER)
            .build();
    ChatResponse reply = ollamaChat().build().chat(conversation);
    assertTrue(reply.tokenUsage().inputTokenCount() > 100, reply.toString());
  }

  @Test
  void ollamaListsShowsAndEmbeds() {
    OllamaModels models = OllamaModels.builder().baseUrl(ollama()).build();
    assertEquals("m", models.availableModels().content().getFirst().getName());
    assertEquals("m", models.runningModels().content().getFirst().getName());
    OllamaModelCard card = models.modelCard("m").content();
    assertEquals("llama", card.getDetails().getFamily());
    assertTrue(card.getCapabilities().contains("tools"));
    OllamaEmbeddingModel embeddings =
        OllamaEmbeddingModel.builder().baseUrl(ollama()).modelName("m").build();
    List<Embedding> all =
        embeddings
            .embedAll(List.of(TextSegment.from("A cat."), TextSegment.from("A dog.")))
            .content();
    assertEquals(2, all.size());
    assertEquals(all.getLast(), embeddings.embed("A dog.").content());
  }

  @Test
  void ollamaToldWhatIsWrong() {
    ModelNotFoundException unknown =
        assertThrows(
            ModelNotFoundException.class,
            () -> ollamaChat().modelName("other").build().chat("Why?"));
    assertTrue(unknown.getMessage().contains("other"), unknown.getMessage());
    Exception refused =
        assertThrows(Exception.class, () -> ollamaChat().numCtx(100_000).build().chat("Why?"));
    assertTrue(refused.getMessage().contains("num_ctx"), refused.getMessage());
    Exception deleting =
        assertThrows(
            Exception.class,
            () -> OllamaModels.builder().baseUrl(ollama()).build().deleteModel("m"));
    assertTrue(deleting.getMessage().contains("no models on disk"), deleting.getMessage());
  }

  @Test
  void openAiChatsWholeAndStreamed() throws Exception {
    ChatRequest ask =
        ChatRequest.builder()
            .messages(SystemMessage.from("Be brief."), UserMessage.from("Why?"))
            .build();
    ChatResponse reply = openAiChat().build().chat(ask);
    assertEquals(FinishReason.LENGTH, reply.finishReason());
    assertEquals(8, reply.tokenUsage().outputTokenCount());
    OpenAiStreamingChatModel stream =
        OpenAiStreamingChatModel.builder()
            .baseUrl(openAi())
            .apiKey("none")
            .modelName("m")
            .temperature(0.0)
            .maxTokens(8)
            .build();
    assertEquals(reply.aiMessage().text(), streamed(stream, ask));
  }

  @Test
  void openAiCallsWhatItHasTo() throws Exception {
    ChatRequest ask =
        ChatRequest.builder()
            .messages(UserMessage.from("Rain?"))
            .toolSpecifications(WEATHER)
            .toolChoice(ToolChoice.REQUIRED)
            .build();
    ChatResponse reply = openAiChat().maxTokens(200).build().chat(ask);
    assertEquals(FinishReason.TOOL_EXECUTION, reply.finishReason());
    ToolExecutionRequest call = reply.aiMessage().toolExecutionRequests().getFirst();
    assertEquals("weather", call.name());
    assertTrue(JSON.readTree(call.arguments()).get("days").isIntegralNumber(), call.toString());
    ChatResponse next =
        openAiChat()
            .build()
            .chat(
                ChatRequest.builder()
                    .messages(
                        UserMessage.from("Rain?"),
                        reply.aiMessage(),
                        ToolExecutionResultMessage.from(call, "dry"))
                    .toolSpecifications(WEATHER)
                    .build());
    assertTrue(next.tokenUsage().inputTokenCount() > reply.tokenUsage().inputTokenCount());
  }

  @Test
  void openAiKeepsAFormatAndEmbeds() throws Exception {
    String text =
        openAiChat()
            .maxTokens(100)
            .strictJsonSchema(true)
            .build()
            .chat(
                ChatRequest.builder()
                    .messages(UserMessage.from("A number."))
                    .responseFormat(NUMBER)
                    .build())
            .aiMessage()
            .text();
    assertTrue(List.of("one", "two").contains(JSON.readTree(text).get("n").textValue()), text);
    OpenAiEmbeddingModel embeddings =
        OpenAiEmbeddingModel.builder()
            .baseUrl(openAi())
            .apiKey("none")
            .modelName("m")
            .maxRetries(0)
            .build();
    assertEquals(1, norm(embeddings.embed("A dog.").content()), 1e-5);
  }

  private static double norm(Embedding embedding) {
    double squares = 0;
    for (float x : embedding.vector()) {
      squares += (double) x * x;
    }
    return Math.sqrt(squares);
  }

  @Test
  void openAiToldWhatIsWrong() {
    Exception refused =
        assertThrows(Exception.class, () -> openAiChat().serviceTier("flex").build().chat("Why?"));
    assertTrue(refused.getMessage().contains("service_tier"), refused.getMessage());
    assertEquals(400, assertInstance(refused).statusCode());
  }

  private static HttpException assertInstance(Throwable thrown) {
    for (Throwable t = thrown; t != null; t = t.getCause()) {
      if (t instanceof HttpException http) {
        return http;
      }
    }
    throw new AssertionError("no HttpException", thrown);
  }
}

package dev.quern.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.LangChain4jException;
import dev.langchain4j.exception.RateLimitException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonReferenceSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaSession;
import dev.quern.llama.StopReason;
import dev.quern.llama.error.QueueFullException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class QuernChatModelTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PROMPT = "Once upon a time";

  @TempDir static Path folder;
  private static QuernModel stories;
  private static QuernModel tools;

  @BeforeAll
  static void load() throws IOException {
    stories = QuernModel.builder().demo().build();
    tools = QuernModel.builder().modelPath(ToolModel.write(folder)).build();
  }

  @AfterAll
  static void close() {
    stories.close();
    tools.close();
  }

  @Test
  void theTextIsThatOfASession() {
    String alone;
    try (LlamaSession session = stories.llama().newSession()) {
      StringBuilder text = new StringBuilder();
      session.generate(PROMPT, GenerationOptions.greedy(40), text::append);
      alone = text.toString();
    }
    ChatResponse response = chat(p -> p.temperature(0.0).maxOutputTokens(40));
    assertEquals(alone, response.aiMessage().text());
    assertEquals(FinishReason.LENGTH, response.finishReason());
    assertEquals("demo", response.modelName());
    assertEquals(40, response.tokenUsage().outputTokenCount());
    int prompt = stories.llama().tokenizer().encodeBeginning(PROMPT, false).length;
    assertEquals(prompt, response.tokenUsage().inputTokenCount());
    QuernChatResponseMetadata metadata =
        assertInstanceOf(QuernChatResponseMetadata.class, response.metadata());
    assertEquals(StopReason.MAX_TOKENS, metadata.generation().stop());
    ChatResponse again = chat(p -> p.temperature(0.0).maxOutputTokens(40));
    assertNotEquals(response.id(), again.id());
    assertEquals(0, metadata.cachedTokens());
    assertEquals(metadata, response.toBuilder().build().metadata());
  }

  @Test
  void aStopSequenceEndsTheReplyAndIsNoPartOfIt() {
    ChatResponse response = chat(p -> p.temperature(0.0).stopSequences("Oskar", "nowhere"));
    assertEquals(", there was a curious boy named ", response.aiMessage().text());
    assertEquals(FinishReason.STOP, response.finishReason());
  }

  @Test
  void withoutALimitTheModelEndsTheReply() {
    ChatResponse response = chat(p -> p.temperature(0.0));
    assertEquals(FinishReason.STOP, response.finishReason());
    assertEquals(
        StopReason.END_OF_TEXT,
        ((QuernChatResponseMetadata) response.metadata()).generation().stop());
  }

  @Test
  void seedsMakeRepliesTheSameAndOtherwiseTheyDiffer() {
    UnaryOperator<QuernChatRequestParameters.Builder> hot =
        p -> p.temperature(5.0).topK(0).topP(1.0).minP(0.0).maxOutputTokens(30);
    assertEquals(text(p -> hot.apply(p).seed(7L)), text(p -> hot.apply(p).seed(7L)));
    assertNotEquals(text(p -> hot.apply(p).seed(7L)), text(p -> hot.apply(p).seed(8L)));
    assertNotEquals(text(hot), text(hot));
  }

  /// Each must be heard of: the reply is another one than the greedy or the drawn one without it.
  @Test
  void everyParameterOfSamplingCounts() {
    UnaryOperator<QuernChatRequestParameters.Builder> drawn =
        p ->
            p.temperature(3.0)
                .topK(0)
                .topP(1.0)
                .minP(0.0)
                .repeatLastN(64)
                .seed(3L)
                .maxOutputTokens(30);
    List<String> texts = new ArrayList<>();
    texts.add(text(drawn));
    texts.add(text(p -> drawn.apply(p).temperature(1.5)));
    texts.add(text(p -> drawn.apply(p).topK(3)));
    texts.add(text(p -> drawn.apply(p).topP(0.6)));
    texts.add(text(p -> drawn.apply(p).minP(0.4)));
    texts.add(text(p -> drawn.apply(p).typicalP(0.3)));
    texts.add(text(p -> drawn.apply(p).frequencyPenalty(8.0)));
    texts.add(text(p -> drawn.apply(p).presencePenalty(-8.0)));
    texts.add(text(p -> drawn.apply(p).repeatPenalty(3.0)));
    texts.add(text(p -> drawn.apply(p).repeatPenalty(3.0).repeatLastN(2)));
    assertEquals(texts.size(), texts.stream().distinct().count(), () -> String.join("\n", texts));
  }

  @Test
  void whatTheBuilderSaysHoldsUntilARequestSaysOtherwise() {
    QuernChatModel model =
        QuernChatModel.builder()
            .model(stories)
            .temperature(0.0)
            .maxTokens(5)
            .stop("never")
            .timeout(Duration.ofMinutes(1))
            .seed(1L)
            .defaultRequestParameters(ChatRequestParameters.builder().topK(7).build())
            .build();
    QuernChatRequestParameters defaults =
        assertInstanceOf(QuernChatRequestParameters.class, model.defaultRequestParameters());
    assertEquals(
        QuernChatRequestParameters.builder()
            .modelName("demo")
            .temperature(0.0)
            .topK(7)
            .maxOutputTokens(5)
            .stopSequences("never")
            .timeout(Duration.ofMinutes(1))
            .seed(1L)
            .build(),
        defaults);
    ChatRequest.Builder request = ChatRequest.builder().messages(UserMessage.from(PROMPT));
    assertEquals(5, model.chat(request.build()).tokenUsage().outputTokenCount());
    ChatRequestParameters three = ChatRequestParameters.builder().maxOutputTokens(3).build();
    assertEquals(3, model.chat(request.parameters(three).build()).tokenUsage().outputTokenCount());
  }

  @Test
  void aSchemaHoldsTheReply() throws Exception {
    JsonSchemaElement person =
        JsonObjectSchema.builder()
            .addIntegerProperty("age", "in years")
            .addEnumProperty("colour", List.of("red", "green"))
            .addProperty("name", JsonRawSchema.from("{\"type\": \"string\", \"maxLength\": 9}"))
            .required("name", "age", "colour")
            .additionalProperties(false)
            .build();
    for (long seed = 0; seed < 3; seed++) {
      JsonNode value = JSON.readTree(json(person, seed));
      assertTrue(value.get("name").isTextual() && value.get("age").isInt(), value::toString);
      assertTrue(List.of("red", "green").contains(value.get("colour").asText()), value::toString);
    }
    String raw = json(JsonRawSchema.from("{\"type\": \"integer\", \"minimum\": 7}"), 1);
    assertTrue(Long.parseLong(raw) >= 7, raw);
    JsonSchemaElement node =
        JsonObjectSchema.builder()
            .addProperty("next", JsonReferenceSchema.builder().reference("node").build())
            .required("next")
            .build();
    JsonSchemaElement recursive =
        JsonObjectSchema.builder()
            .addProperty("first", JsonReferenceSchema.builder().reference("node").build())
            .required("first")
            .definitions(Map.of("node", node))
            .build();
    InvalidRequestException endless =
        assertThrows(InvalidRequestException.class, () -> json(recursive, 1));
    assertTrue(endless.getMessage().contains("no text fits"), endless.getMessage());
    ChatResponse any =
        chat(p -> p.seed(2L).maxOutputTokens(20).responseFormat(ResponseFormat.JSON));
    assertTrue(any.aiMessage().text().startsWith("{"), any::toString);
  }

  private static String json(JsonSchemaElement schema, long seed) {
    ResponseFormat format =
        ResponseFormat.builder()
            .type(ResponseFormatType.JSON)
            .jsonSchema(JsonSchema.builder().name("it").rootElement(schema).build())
            .build();
    return text(p -> p.seed(seed).responseFormat(format));
  }

  @Test
  void aRequiredToolIsCalledAndItsAnswerGoesIntoTheNextTurn() throws Exception {
    ToolSpecification weather =
        ToolSpecification.builder()
            .name("weather")
            .description("Tells it.")
            .parameters(
                JsonObjectSchema.builder()
                    .addEnumProperty("place", List.of("Bonn", "Rome"))
                    .required("place")
                    .additionalProperties(false)
                    .build())
            .strict(true)
            .build();
    QuernChatModel model = QuernChatModel.builder().model(tools).seed(1L).build();
    UserMessage question = UserMessage.from("Rain?");
    ChatResponse first =
        model.chat(
            ChatRequest.builder()
                .messages(question)
                .toolSpecifications(weather)
                .toolChoice(ToolChoice.REQUIRED)
                .build());
    assertEquals(FinishReason.TOOL_EXECUTION, first.finishReason());
    assertNull(first.aiMessage().text());
    assertEquals(1, first.aiMessage().toolExecutionRequests().size());
    ToolExecutionRequest call = first.aiMessage().toolExecutionRequests().getFirst();
    assertEquals("weather", call.name());
    assertTrue(!call.id().isBlank(), "an id");
    assertTrue(
        List.of("Bonn", "Rome").contains(JSON.readTree(call.arguments()).get("place").asText()));

    ChatResponse second =
        model.chat(
            ChatRequest.builder()
                .messages(question, first.aiMessage(), ToolExecutionResultMessage.from(call, "dry"))
                .toolSpecifications(weather)
                .toolChoice(ToolChoice.NONE)
                .maxOutputTokens(8)
                .build());
    assertTrue(
        second.tokenUsage().inputTokenCount() > first.tokenUsage().inputTokenCount() + 30,
        "the call and its answer are in the prompt");
    assertEquals(List.of(), second.aiMessage().toolExecutionRequests());
  }

  /// With both, a reply is text that fits or a call.
  @Test
  void toolsAndASchemaGoTogether() throws Exception {
    ChatResponse response =
        QuernChatModel.builder()
            .model(tools)
            .seed(1L)
            .build()
            .chat(
                ChatRequest.builder()
                    .messages(UserMessage.from("Rain?"))
                    .toolSpecifications(ToolSpecification.builder().name("now").build())
                    .responseFormat(ResponseFormat.JSON)
                    .build());
    AiMessage message = response.aiMessage();
    assertTrue(
        message.hasToolExecutionRequests() || JSON.readTree(message.text()).isObject(),
        message::toString);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "temperature | -1 | sampling: temperature=-1.0, expected >= 0",
        "topP        | 2  | sampling: topP=2.0, expected in (0, 1]",
        "topK        | -1 | sampling: topK=-1, expected >= 0",
        "maxTokens   | -5 | maxTokens=-5, expected >= 0",
        "stop        | 0  | stop string: empty, expected a text",
        "schema      | 0  | constraint: ",
        "tools       | 0  | tools: this model's chat template can't write a tool call",
        "prompt      | 600 | context",
      })
  void whatTheModelCantDoIsAnInvalidRequest(String what, int value, String message) {
    InvalidRequestException e =
        assertThrows(
            InvalidRequestException.class,
            () ->
                chat(
                    p ->
                        switch (what) {
                          case "temperature" -> p.temperature((double) value);
                          case "topP" -> p.topP((double) value);
                          case "topK" -> p.topK(value);
                          case "maxTokens" -> p.maxOutputTokens(value);
                          case "stop" -> p.stopSequences("");
                          case "schema" ->
                              p.responseFormat(
                                  JsonSchema.builder()
                                      .rootElement(JsonRawSchema.from("{\"not\": {}}"))
                                      .build());
                          case "tools" ->
                              p.toolSpecifications(ToolSpecification.builder().name("now").build());
                          default -> p;
                        },
                    "prompt".equals(what) ? "x ".repeat(value) : PROMPT));
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertEquals(1, e.getMessage().lines().count());
  }

  @Test
  void whatIsNotThereIsUnsupported() {
    assertEquals(
        "modelName 'gpt' is not supported: this model is 'demo', and each has a QuernModel of its own",
        unsupported(p -> p.modelName("gpt")));
    assertTrue(
        unsupported(p ->
                p.toolSpecifications(ToolSpecification.builder().name("now").strict(true).build()))
            .startsWith("tool now: strict is not supported where"));
    assertTrue(
        assertThrows(
                UnsupportedFeatureException.class,
                () ->
                    QuernChatModel.builder()
                        .model(stories)
                        .build()
                        .chat(
                            ChatRequest.builder()
                                .messages(UserMessage.from(PROMPT))
                                .parameters(new Foreign())
                                .build()))
            .getMessage()
            .contains("Foreign are not supported"));
    assertThrows(
        UnsupportedFeatureException.class,
        () ->
            QuernChatModel.builder()
                .model(stories)
                .defaultRequestParameters(
                    ChatRequestParameters.builder().modelName("other").build())
                .build());
  }

  private static String unsupported(UnaryOperator<QuernChatRequestParameters.Builder> change) {
    return assertThrows(UnsupportedFeatureException.class, () -> chat(change)).getMessage();
  }

  /// Another integration's.
  private static final class Foreign extends DefaultChatRequestParameters {
    Foreign() {
      super(new Builder<>());
    }
  }

  @Test
  void aTimeoutEndsTheRequest() {
    TimeoutException e =
        assertThrows(TimeoutException.class, () -> chat(p -> p.timeout(Duration.ofNanos(1))));
    assertTrue(e.getMessage().startsWith("the request's timeout was over after 0 tokens"));
    assertIdle(stories);
  }

  @Test
  void anInterruptCancelsTheRequest() throws Exception {
    int all = chat(p -> p.temperature(0.0)).tokenUsage().outputTokenCount();
    long before = stories.metrics().generatedTokens();
    AtomicReference<Throwable> failure = new AtomicReference<>();
    AtomicReference<Boolean> interrupted = new AtomicReference<>();
    Thread.ofVirtual()
        .start(() -> {
          Thread.currentThread().interrupt();
          try {
            chat(p -> p.temperature(0.0));
          } catch (Throwable t) { // looked at below
            failure.set(t);
            interrupted.set(Thread.currentThread().isInterrupted());
          }
        })
        .join();
    assertInstanceOf(LangChain4jException.class, failure.get());
    assertInstanceOf(InterruptedException.class, failure.get().getCause());
    assertTrue(interrupted.get(), "the thread stays interrupted");
    assertIdle(stories);
    assertTrue(stories.metrics().generatedTokens() - before < all, "it went on to the end");
  }

  private static void assertIdle(QuernModel model) {
    while (model.metrics().running() + model.metrics().waiting() > 0) {
      Thread.onSpinWait(); // the test's timeout ends it
    }
  }

  @Test
  void aFullQueueIsARateLimit() {
    try (QuernModel narrow = QuernModel.builder().demo().parallel(1).queue(0).build()) {
      QuernChatModel model = QuernChatModel.builder().model(narrow).build();
      QuernStreamingChatModel streaming = QuernStreamingChatModel.builder().model(narrow).build();
      Heard first = new Heard();
      RateLimitException e = null;
      streaming.chat(PROMPT, first);
      for (int i = 0; i < 100 && e == null; i++) { // the first may be in the queue still, or over
        try {
          model.chat(PROMPT);
          streaming.chat(PROMPT, new Heard());
        } catch (RateLimitException busy) {
          e = busy;
        }
      }
      assertInstanceOf(QueueFullException.class, e.getCause());
      assertEquals(e.getCause().getMessage(), e.getMessage());
    }
  }

  @Test
  void closingTheModelEndsRequests() {
    QuernModel model = QuernModel.builder().demo().build();
    Heard heard = new Heard();
    heard.onFirstPiece = model::close;
    QuernStreamingChatModel.builder().model(model).build().chat(PROMPT, heard);
    InternalServerException e = assertInstanceOf(InternalServerException.class, heard.failure());
    assertTrue(e.getMessage().startsWith("the model was closed"), e.getMessage());
  }

  @Test
  void manyThreadsAtOnceGetWhatOneGets() throws Exception {
    String alone = text(p -> p.temperature(0.0).maxOutputTokens(60));
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      Callable<String> one = () -> text(p -> p.temperature(0.0).maxOutputTokens(60));
      for (Future<String> reply : threads.invokeAll(List.of(one, one, one, one))) {
        assertEquals(alone, reply.get());
      }
    }
  }

  private static String text(UnaryOperator<QuernChatRequestParameters.Builder> change) {
    return chat(change).aiMessage().text();
  }

  private static ChatResponse chat(UnaryOperator<QuernChatRequestParameters.Builder> change) {
    return chat(change, PROMPT);
  }

  private static ChatResponse chat(
      UnaryOperator<QuernChatRequestParameters.Builder> change, String prompt) {
    return QuernChatModel.builder()
        .model(stories)
        .build()
        .chat(
            ChatRequest.builder()
                .messages(UserMessage.from(prompt))
                .parameters(change.apply(QuernChatRequestParameters.builder()).build())
                .build());
  }
}

package dev.quern.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialToolCall;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.langchain4j.model.output.FinishReason;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class QuernStreamingChatModelTest {
  private static final String PROMPT = "Once upon a time";

  @TempDir static Path folder;
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
  void piecesAreTheTextOfTheWholeReplyAndComeOnOneThread() {
    Heard heard = new Heard();
    greedy().chat(PROMPT, heard);
    ChatResponse response = heard.response();
    QuernChatModel whole = QuernChatModel.builder().model(stories).temperature(0.0).build();
    assertEquals(whole.chat(PROMPT), response.aiMessage().text());
    assertEquals(response.aiMessage().text(), heard.text.toString());
    assertTrue(heard.pieces > 20, () -> heard.pieces + " pieces");
    assertEquals(FinishReason.STOP, response.finishReason());
    assertTrue(response.tokenUsage().outputTokenCount() >= heard.pieces);
    assertEquals(1, heard.threads.size());
    assertFalse(heard.threads.contains(Thread.currentThread()));
    assertFalse(heard.handle.join().isCancelled());
  }

  /// The engine may be far ahead of a handler whose thread does not get to run, but not each time.
  @Test
  void cancellingFreesTheSequenceAndNothingMoreIsHeard() throws Exception {
    Heard whole = new Heard();
    greedy().chat(PROMPT, whole);
    int all = whole.response().tokenUsage().outputTokenCount();
    boolean early = false;
    for (int attempt = 0; attempt < 20 && !early; attempt++) {
      early = cancelled() < all / 2;
    }
    assertTrue(early, "requests went on when they were cancelled");
  }

  /// All of the reply is on its way to the handler, its end too.
  @Test
  void whatWasGeneratedBeforeACancelIsNotHeard() throws Exception {
    long ended = stories.metrics().ended();
    Heard heard = new Heard();
    CompletableFuture<Void> left = new CompletableFuture<>();
    heard.onFirstPiece =
        () -> {
          while (stories.metrics().ended() == ended) {
            Thread.onSpinWait(); // the test's timeout ends it
          }
          heard.handle.join().cancel();
          left.complete(null);
        };
    greedy().chat(PROMPT, heard);
    left.join();
    Thread.sleep(50); // what comes late would be heard now
    assertEquals(1, heard.pieces);
    assertFalse(heard.end.isDone(), "neither a response nor an error");
  }

  /// How many tokens of a reply were generated that is cancelled at its first piece.
  private static long cancelled() throws InterruptedException {
    long ended = stories.metrics().ended();
    long generated = stories.metrics().generatedTokens();
    Heard heard = new Heard();
    heard.onFirstPiece =
        () -> {
          StreamingHandle handle = heard.handle.join();
          assertFalse(handle.isCancelled());
          handle.cancel();
          assertTrue(handle.isCancelled());
        };
    greedy().chat(PROMPT, heard);
    while (stories.metrics().ended() == ended) {
      Thread.sleep(1); // the test's timeout ends it
    }
    assertEquals(0, stories.metrics().running());
    Thread.sleep(50); // what comes late would be heard now
    assertEquals(1, heard.pieces);
    assertFalse(heard.end.isDone(), "neither a response nor an error");
    return stories.metrics().generatedTokens() - generated;
  }

  @Test
  void toolCallsComeInPartsAndWhole() throws IOException {
    try (QuernModel tools = QuernModel.builder().modelPath(ToolModel.write(folder)).build();
        QuernStreamingChatModel model =
            QuernStreamingChatModel.builder().model(tools).seed(1L).build()) {
      Heard heard = new Heard();
      model.chat(
          ChatRequest.builder()
              .messages(UserMessage.from("Time?"))
              .toolSpecifications(ToolSpecification.builder().name("now").build())
              .toolChoice(ToolChoice.REQUIRED)
              .build(),
          heard);
      ChatResponse response = heard.response();
      assertEquals(FinishReason.TOOL_EXECUTION, response.finishReason());
      assertEquals("", heard.text.toString());
      assertEquals(1, heard.calls.size());
      assertEquals(0, heard.calls.getFirst().index());
      assertEquals(
          response.aiMessage().toolExecutionRequests(),
          List.of(heard.calls.getFirst().toolExecutionRequest()));
      ToolExecutionRequest call = heard.calls.getFirst().toolExecutionRequest();
      assertEquals("now", call.name());
      assertTrue(
          heard.parts.stream().allMatch(p -> p.id().equals(call.id()) && p.name().equals("now")));
      String parts =
          heard.parts.stream().map(PartialToolCall::partialArguments).collect(Collectors.joining());
      assertEquals(call.arguments(), ToolCall.of("", "now", parts).argumentsJson());
    }
  }

  @Test
  void thoughtsAreNoText() throws IOException {
    try (QuernModel thinker =
            QuernModel.builder().modelPath(ToolModel.writeThinker(folder)).build();
        QuernStreamingChatModel model =
            QuernStreamingChatModel.builder().model(thinker).maxTokens(6).build()) {
      Heard heard = new Heard();
      model.chat("Why?", heard);
      AiMessage said = heard.response().aiMessage();
      assertFalse(said.thinking().isBlank());
      assertEquals(said.thinking(), heard.thoughts.toString());
      assertEquals("", said.text() + heard.text);
    }
  }

  @Test
  void failuresComeToTheHandlerAndNotToTheCaller() {
    assertInstanceOf(
        InvalidRequestException.class, failure(QuernChatRequestParameters.builder().topP(2.0)));
    assertInstanceOf(
        TimeoutException.class,
        failure(QuernChatRequestParameters.builder().timeout(Duration.ofNanos(1))));
    assertThrows(
        UnsupportedFeatureException.class,
        () -> failure(QuernChatRequestParameters.builder().modelName("gpt")),
        "as LangChain4j's tests have it");
  }

  /// As LangChain4j's tests have it, which ask for what a model knows besides.
  @Test
  void whatAHandlerThrowsComesToItsOnErrorAndTheReplyGoesOn() throws Exception {
    List<Throwable> errors = new CopyOnWriteArrayList<>();
    CompletableFuture<ChatResponse> end = new CompletableFuture<>();
    CountDownLatch last = new CountDownLatch(1);
    greedy()
        .chat(
            ChatRequest.builder().messages(UserMessage.from(PROMPT)).maxOutputTokens(5).build(),
            new StreamingChatResponseHandler() {
              @Override
              public void onPartialResponse(String piece) {
                throw new IllegalStateException(piece);
              }

              @Override
              public void onCompleteResponse(ChatResponse response) {
                end.complete(response);
                throw new IllegalStateException("end");
              }

              @Override
              public void onError(Throwable error) {
                errors.add(error);
                if (error.getMessage().equals("end")) {
                  last.countDown();
                }
                throw new IllegalStateException("once more");
              }
            });
    assertTrue(last.await(30, TimeUnit.SECONDS));
    String heard = errors.stream().map(Throwable::getMessage).reduce("", String::concat);
    assertEquals(end.join().aiMessage().text() + "end", heard);
  }

  private static Throwable failure(QuernChatRequestParameters.Builder parameters) {
    Heard heard = new Heard();
    greedy()
        .chat(
            ChatRequest.builder()
                .messages(UserMessage.from(PROMPT))
                .parameters(parameters.build())
                .build(),
            heard);
    Throwable failure = heard.failure();
    assertEquals(0, heard.pieces);
    return failure;
  }

  private static QuernStreamingChatModel greedy() {
    return QuernStreamingChatModel.builder().model(stories).temperature(0.0).build();
  }
}

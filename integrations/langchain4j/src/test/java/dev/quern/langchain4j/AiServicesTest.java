package dev.quern.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.agent.tool.P;
import dev.langchain4j.agent.tool.Tool;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.memory.chat.MessageWindowChatMemory;
import dev.langchain4j.memory.chat.TokenWindowChatMemory;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.listener.ChatModelRequestContext;
import dev.langchain4j.model.chat.listener.ChatModelResponseContext;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.Result;
import dev.langchain4j.service.SystemMessage;
import dev.langchain4j.service.TokenStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// LangChain4j's own services over the models. What they say is nonsense; its form is not.
@Timeout(60)
class AiServicesTest {
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

  enum Animal {
    CAT,
    DOG
  }

  /// Nothing of it has any length: nothing would end a list or a text but the model.
  record Pet(long age, Animal animal, Home home) {}

  record Home(boolean warm, double size) {}

  interface Assistant {
    String tell(String prompt);

    TokenStream stream(String prompt);

    Pet pet(String prompt);

    Result<Boolean> isIt(String prompt);

    @SystemMessage("Mara was")
    String told(String prompt);
  }

  @Test
  void aMethodGivesTheText() {
    Assistant assistant = AiServices.create(Assistant.class, greedy());
    assertTrue(
        assistant.tell("Once upon a time").startsWith(", there was a curious boy named Oskar."));
    assertTrue(assistant.told(" a").length() > 1);
  }

  @Test
  void aMethodStreamsTheText() {
    Assistant assistant =
        AiServices.builder(Assistant.class)
            .streamingChatModel(
                QuernStreamingChatModel.builder().model(stories).temperature(0.0).build())
            .build();
    StringBuffer text = new StringBuffer();
    CompletableFuture<ChatResponse> end = new CompletableFuture<>();
    assistant.stream("Once upon a time")
        .onPartialResponse(text::append)
        .onCompleteResponse(end::complete)
        .onError(end::completeExceptionally)
        .start();
    assertEquals(greedy().chat("Once upon a time"), end.join().aiMessage().text());
    assertEquals(end.join().aiMessage().text(), text.toString());
  }

  /// The model says what is allowed, and so the mapper never meets what it can't read.
  @Test
  void aMethodGivesARecord() {
    for (long seed = 0; seed < 3; seed++) {
      QuernChatModel model = QuernChatModel.builder().model(stories).seed(seed).build();
      Assistant assistant = AiServices.create(Assistant.class, model);
      assertNotNull(assistant.pet("A pet: "));
      Result<Boolean> result = assistant.isIt("Is it? ");
      assertTrue(Set.of(true, false).contains(result.content()));
      assertEquals(FinishReason.STOP, result.finishReason());
      assertTrue(result.tokenUsage().outputTokenCount() > 0);
    }
  }

  /// Counts what it is asked for.
  static final class Calculator {
    final List<String> asked = new ArrayList<>();

    @Tool("Adds two numbers")
    long add(@P("first") long a, @P("second") long b) {
      asked.add(a + "+" + b);
      return a + b;
    }
  }

  @Test
  void aToolIsCalledAndTheModelGoesOn() {
    Calculator calculator = new Calculator();
    MessageWindowChatMemory memory = MessageWindowChatMemory.withMaxMessages(20);
    QuernChatModel model = QuernChatModel.builder().model(tools).seed(1L).maxTokens(120).build();
    Assistant assistant =
        AiServices.builder(Assistant.class)
            .chatModel(model)
            .chatMemory(memory)
            .tools(calculator)
            .chatRequestTransformer(request ->
                request.messages().stream().anyMatch(ToolExecutionResultMessage.class::isInstance)
                    ? request
                    : request.toBuilder()
                        .parameters(
                            request
                                .parameters()
                                .overrideWith(
                                    QuernChatRequestParameters.builder()
                                        .toolChoice(ToolChoice.REQUIRED)
                                        .build()))
                        .build())
            .build();
    assistant.tell("Add.");
    assertEquals(1, calculator.asked.size());
    List<ChatMessage> messages = memory.messages();
    assertEquals(UserMessage.from("Add."), messages.getFirst());
    AiMessage call = (AiMessage) messages.get(1);
    ToolExecutionResultMessage answer = (ToolExecutionResultMessage) messages.get(2);
    assertEquals(call.toolExecutionRequests().getFirst().id(), answer.id());
    String[] terms = calculator.asked.getFirst().split("\\+");
    assertEquals(Long.toString(Long.parseLong(terms[0]) + Long.parseLong(terms[1])), answer.text());
    assertTrue(messages.getLast() instanceof AiMessage last && last.text() != null);
  }

  @Test
  void memoryIsInThePromptOfTheNextTurn() {
    List<Integer> prompts = new ArrayList<>();
    List<Integer> cached = new ArrayList<>();
    ChatModelListener listener =
        new ChatModelListener() {
          @Override
          public void onRequest(ChatModelRequestContext context) {
            assertEquals("demo", context.chatRequest().modelName());
          }

          @Override
          public void onResponse(ChatModelResponseContext context) {
            prompts.add(context.chatResponse().tokenUsage().inputTokenCount());
            cached.add(
                ((QuernChatResponseMetadata) context.chatResponse().metadata()).cachedTokens());
          }
        };
    Assistant assistant =
        AiServices.builder(Assistant.class)
            .chatModel(
                QuernChatModel.builder()
                    .model(stories)
                    .temperature(0.0)
                    .maxTokens(20)
                    .listeners(listener)
                    .build())
            .chatMemory(
                TokenWindowChatMemory.withMaxTokens(200, new QuernTokenCountEstimator(stories)))
            .build();
    assistant.tell("Mara saw a lost hedgehog. The hedgehog was afraid of the river.");
    assistant.tell(" Then");
    assertTrue(prompts.get(1) > prompts.get(0) + 15, prompts::toString);
    assertTrue(
        cached.get(1) >= prompts.get(0) - 1, () -> "what was said is not run again: " + cached);
  }

  private static QuernChatModel greedy() {
    return QuernChatModel.builder().model(stories).temperature(0.0).build();
  }
}

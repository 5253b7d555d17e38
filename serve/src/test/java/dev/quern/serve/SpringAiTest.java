package dev.quern.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.openai.errors.BadRequestException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.openai.OpenAiEmbeddingModel;
import org.springframework.ai.openai.OpenAiEmbeddingOptions;

/// Spring AI's client of OpenAI, which is OpenAI's own SDK for Java, and which nobody here wrote.
class SpringAiTest {
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

  private static OpenAiChatModel chat(String model) {
    OpenAiChatOptions.Builder options = OpenAiChatOptions.builder();
    options.baseUrl(server.server.address().resolve("/v1").toString());
    options.apiKey("none");
    options.model(model);
    options.temperature(0.0);
    options.maxTokens(8);
    options.maxRetries(0);
    return OpenAiChatModel.builder().options(options.build()).build();
  }

  private static final Prompt ASK =
      new Prompt(List.of(new SystemMessage("Be brief."), new UserMessage("Why?")));

  @Test
  void chatsWholeAndStreamed() {
    ChatResponse reply = chat("m").call(ASK);
    String text = reply.getResult().getOutput().getText();
    assertEquals(8, reply.getMetadata().getUsage().getCompletionTokens());
    StringBuilder parts = new StringBuilder();
    for (ChatResponse part : chat("m").stream(ASK).collectList().block()) {
      if (part.getResult() != null && part.getResult().getOutput().getText() != null) {
        parts.append(part.getResult().getOutput().getText());
      }
    }
    assertEquals(text, parts.toString());
  }

  @Test
  void embeds() {
    OpenAiEmbeddingOptions.Builder options = OpenAiEmbeddingOptions.builder();
    options.baseUrl(server.server.address().resolve("/v1").toString());
    options.apiKey("none");
    options.model("m");
    OpenAiEmbeddingModel embeddings =
        OpenAiEmbeddingModel.builder().options(options.build()).build();
    float[] vector = embeddings.embed("A dog.");
    double squares = 0;
    for (float x : vector) {
      squares += (double) x * x;
    }
    assertEquals(1, squares, 1e-5);
  }

  @Test
  void isToldWhatIsWrong() {
    OpenAiChatOptions.Builder options = OpenAiChatOptions.builder();
    options.model("m");
    options.serviceTier("flex");
    BadRequestException refused =
        assertThrows(
            BadRequestException.class,
            () -> chat("m").call(new Prompt(ASK.getInstructions(), options.build())));
    assertTrue(refused.getMessage().contains("service_tier"), refused.getMessage());
    Exception unknown = assertThrows(Exception.class, () -> chat("other").call(ASK));
    assertTrue(unknown.getMessage().contains("other"), unknown.getMessage());
  }
}

package dev.quern.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.AudioContent;
import dev.langchain4j.data.message.CustomMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class MessagesTest {
  private static final ToolExecutionRequest CALL =
      ToolExecutionRequest.builder().id("c1").name("add").arguments("{\"a\": [1, 2.5]}").build();

  @Test
  void allThatAMessageSaysIsGivenToTheTemplate() {
    List<dev.langchain4j.data.message.ChatMessage> messages =
        List.of(
            SystemMessage.from("Be brief."),
            UserMessage.from("ann", "Hi"),
            UserMessage.from(TextContent.from("one"), TextContent.from("two")),
            AiMessage.from("Hello"),
            AiMessage.from("I add.", List.of(CALL)),
            AiMessage.builder().thinking("Hm.").toolExecutionRequests(List.of(CALL)).build(),
            AiMessage.builder().build(),
            AiMessage.from(ToolExecutionRequest.builder().name("now").build()),
            ToolExecutionResultMessage.from(CALL, "3.5"),
            ToolExecutionResultMessage.builder()
                .id("c1")
                .toolName("add")
                .text("no")
                .isError(true)
                .build());
    ToolCall call = ToolCall.of("c1", "add", "{\"a\": [1, 2.5]}");
    assertEquals(
        List.of(
            ChatMessage.system("Be brief."),
            ChatMessage.user("Hi").with("name", "ann"),
            ChatMessage.user("one\ntwo"),
            ChatMessage.assistant("Hello"),
            ChatMessage.assistant("I add.").withToolCall(call),
            ChatMessage.calls(call).with("reasoning_content", "Hm."),
            ChatMessage.assistant(""),
            ChatMessage.calls(new ToolCall("", "now", Map.of())),
            ChatMessage.tool("c1", "3.5").with("name", "add"),
            ChatMessage.tool("c1", "no").with("name", "add").with("is_error", true)),
        Messages.mapped(messages));
  }

  static Stream<Arguments> unsupported() {
    return Stream.of(
        Arguments.of(
            UserMessage.from(TextContent.from("x"), ImageContent.from("http://localhost/i.png")),
            "user message: content of type image is not supported, expected text"),
        Arguments.of(
            UserMessage.from(AudioContent.from("http://localhost/a.wav")),
            "user message: content of type audio is not supported, expected text"),
        Arguments.of(
            ToolExecutionResultMessage.builder()
                .id("1")
                .toolName("t")
                .contents(ImageContent.from("http://localhost/i.png"))
                .build(),
            "tool execution result message: content of type image is not supported, expected text"),
        Arguments.of(
            CustomMessage.from(Map.of("a", "b")),
            "messages of type CUSTOM are not supported, expected system, user, AI and tool messages"));
  }

  @ParameterizedTest
  @MethodSource
  void unsupported(dev.langchain4j.data.message.ChatMessage message, String expected) {
    assertEquals(
        expected,
        assertThrows(UnsupportedFeatureException.class, () -> Messages.mapped(message))
            .getMessage());
  }

  @Test
  void messagesAreCountedWithTheirFrame() {
    try (QuernModel model =
        QuernModel.builder()
            .demo()
            .chatFormat(dev.quern.llama.tokenizer.ChatFormat.LLAMA3)
            .build()) {
      QuernTokenCountEstimator estimator = new QuernTokenCountEstimator(model);
      assertEquals(
          model.llama().tokenizer().encode("A cat.", false).length,
          estimator.estimateTokenCountInText("A cat."));
      List<dev.langchain4j.data.message.ChatMessage> messages =
          List.of(
              UserMessage.from("Why is it so?"),
              AiMessage.from("It is a cat."),
              UserMessage.from("And then?"));
      int real = model.llama().chatTemplate().render(Messages.mapped(messages)).tokens().length;
      int counted = estimator.estimateTokenCountInMessages(messages);
      assertTrue(
          Math.abs(real - counted) <= 12,
          () -> counted + " counted of " + real + ": a turn is more");
      int call = estimator.estimateTokenCountInMessage(AiMessage.from(CALL));
      assertTrue(call > estimator.estimateTokenCountInText("add{\"a\":[1,2.5]}"));
    }
  }
}

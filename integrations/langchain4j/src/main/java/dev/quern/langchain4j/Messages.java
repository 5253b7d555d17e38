package dev.quern.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// LangChain4j's messages as Quern's. Attributes are the application's, and no model is told them.
final class Messages {
  private Messages() {}

  /// @throws UnsupportedFeatureException if one holds what is no text
  static List<ChatMessage> mapped(List<dev.langchain4j.data.message.ChatMessage> messages) {
    return messages.stream().map(Messages::mapped).toList();
  }

  static ChatMessage mapped(dev.langchain4j.data.message.ChatMessage message) {
    return switch (message) {
      case SystemMessage m -> ChatMessage.system(m.text());
      case UserMessage m -> user(m);
      case AiMessage m -> assistant(m);
      case ToolExecutionResultMessage m -> toolResult(m);
      default ->
          throw new UnsupportedFeatureException(
              "messages of type "
                  + message.type()
                  + " are not supported, expected system, user, AI and tool messages");
    };
  }

  private static ChatMessage user(UserMessage message) {
    ChatMessage user = ChatMessage.user(text("user message", message.contents()));
    return message.name() == null ? user : user.with("name", message.name());
  }

  private static ChatMessage assistant(AiMessage message) {
    if (!message.images().isEmpty()) {
      throw unsupported("AI message", "image");
    }
    List<ToolCall> calls = message.toolExecutionRequests().stream().map(Messages::call).toList();
    Optional<String> text = Optional.ofNullable(message.text());
    ChatMessage assistant =
        new ChatMessage(
            "assistant", calls.isEmpty() ? text.or(() -> Optional.of("")) : text, calls, Map.of());
    return message.thinking() == null
        ? assistant
        : assistant.with("reasoning_content", message.thinking());
  }

  private static ToolCall call(ToolExecutionRequest request) {
    String arguments = request.arguments();
    return ToolCall.of(
        request.id() == null ? "" : request.id(),
        request.name(),
        arguments == null || arguments.isBlank() ? "{}" : arguments);
  }

  private static ChatMessage toolResult(ToolExecutionResultMessage message) {
    ChatMessage result =
        ChatMessage.tool(
            message.id() == null ? "" : message.id(),
            text("tool execution result message", message.contents()));
    if (message.toolName() != null) {
      result = result.with("name", message.toolName());
    }
    return message.isError() == null ? result : result.with("is_error", message.isError());
  }

  private static String text(String where, List<Content> contents) {
    return contents.stream()
        .map(content -> {
          if (content instanceof TextContent text) {
            return text.text();
          }
          throw unsupported(where, content.type().name().toLowerCase(Locale.ROOT));
        })
        .collect(Collectors.joining("\n"));
  }

  private static UnsupportedFeatureException unsupported(String where, String type) {
    return new UnsupportedFeatureException(
        where + ": content of type " + type + " is not supported, expected text");
  }
}

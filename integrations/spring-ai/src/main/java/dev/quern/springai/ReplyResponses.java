package dev.quern.springai;

import dev.quern.llama.StopReason;
import dev.quern.llama.chat.ChatReply;
import dev.quern.llama.tokenizer.ChatMessage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.metadata.ChatGenerationMetadata;
import org.springframework.ai.chat.metadata.ChatResponseMetadata;
import org.springframework.ai.chat.metadata.DefaultUsage;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.model.Generation;

/// The responses of Spring AI to one prompt, which have one id.
///
/// @param model its name
/// @param kernels the providers that run it, in one line
record ReplyResponses(String id, String model, String kernels) {
  ReplyResponses(String model, String kernels) {
    this(UUID.randomUUID().toString(), model, kernels);
  }

  /// Some text of a reply that goes on.
  ChatResponse piece(String text) {
    return new ChatResponse(
        List.of(new Generation(new AssistantMessage(text))),
        ChatResponseMetadata.builder().id(id).model(model).build());
  }

  /// A whole reply.
  ChatResponse whole(ChatReply reply) {
    return end(reply, reply.text());
  }

  /// The last response of a stream, behind all text: tool calls, why it ended, and what it took.
  ChatResponse end(ChatReply reply) {
    return end(reply, "");
  }

  private ChatResponse end(ChatReply reply, String text) {
    AssistantMessage message =
        AssistantMessage.builder()
            .content(text)
            .properties(
                reply.thoughts().isEmpty()
                    ? Map.of()
                    : Map.of(QuernChatModel.REASONING, reply.thoughts()))
            .toolCalls(reply.toolCalls().stream().map(ReplyResponses::call).toList())
            .build();
    ChatGenerationMetadata metadata =
        ChatGenerationMetadata.builder().finishReason(finish(reply)).build();
    return new ChatResponse(List.of(new Generation(message, metadata)), metadata(reply));
  }

  private static AssistantMessage.ToolCall call(ChatMessage.ToolCall call) {
    return new AssistantMessage.ToolCall(call.id(), "function", call.name(), call.argumentsJson());
  }

  private ChatResponseMetadata metadata(ChatReply reply) {
    dev.quern.llama.Generation generation = reply.generation();
    ChatResponseMetadata.Builder metadata =
        ChatResponseMetadata.builder()
            .id(id)
            .model(model)
            .usage(
                new DefaultUsage(
                    reply.promptTokens(),
                    generation.tokens().size(),
                    null,
                    null,
                    (long) reply.cachedTokens(),
                    null))
            .keyValue(QuernChatModel.KERNELS, kernels)
            .keyValue(QuernChatModel.STOP_REASON, generation.stop().name());
    if (!generation.tokens().isEmpty()) {
      metadata.keyValue(
          QuernChatModel.TIME_TO_FIRST_TOKEN,
          Duration.ofNanos(Math.round(generation.timeToFirstTokenSeconds() * 1e9)));
    }
    return metadata.build();
  }

  /// As OpenAI's models call it in Spring AI, where they have a word for it.
  private static String finish(ChatReply reply) {
    return switch (reply.generation().stop()) {
      case END_OF_TEXT, STOP_TOKEN, STOP_STRING ->
          reply.toolCalls().isEmpty() ? "STOP" : "TOOL_CALLS";
      case MAX_TOKENS, CONTEXT_FULL -> "LENGTH";
      case StopReason other -> other.name();
    };
  }
}

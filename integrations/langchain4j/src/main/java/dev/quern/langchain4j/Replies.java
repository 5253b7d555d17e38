package dev.quern.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.exception.InternalServerException;
import dev.langchain4j.exception.TimeoutException;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import dev.quern.llama.Generation;
import dev.quern.llama.chat.ChatReply;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.util.List;
import java.util.UUID;

/// Quern's replies as LangChain4j's responses.
final class Replies {
  private Replies() {}

  /// @throws TimeoutException if the request's time was over
  /// @throws InternalServerException if the model was closed
  static ChatResponse mapped(QuernModel model, ChatReply reply) {
    Generation generation = reply.generation();
    FinishReason reason = reason(reply);
    return ChatResponse.builder()
        .aiMessage(message(reply))
        .metadata(
            QuernChatResponseMetadata.builder()
                .id(UUID.randomUUID().toString())
                .modelName(model.name())
                .tokenUsage(new TokenUsage(reply.promptTokens(), generation.tokens().size()))
                .finishReason(reason)
                .generation(generation)
                .cachedTokens(reply.cachedTokens())
                .build())
        .build();
  }

  private static FinishReason reason(ChatReply reply) {
    return switch (reply.generation().stop()) {
      case END_OF_TEXT, STOP_TOKEN, STOP_STRING ->
          reply.toolCalls().isEmpty() ? FinishReason.STOP : FinishReason.TOOL_EXECUTION;
      case MAX_TOKENS, CONTEXT_FULL -> FinishReason.LENGTH;
      case DEADLINE ->
          throw new TimeoutException(
              "the request's timeout was over after "
                  + reply.generation().tokens().size()
                  + " tokens of the reply; give it more time, or fewer maxOutputTokens");
      case CANCELLED ->
          throw new InternalServerException(
              "the model was closed while the request ran, expected requests to end before");
    };
  }

  private static AiMessage message(ChatReply reply) {
    List<ToolExecutionRequest> requests = reply.toolCalls().stream().map(Replies::request).toList();
    boolean silent = reply.text().isEmpty() && !requests.isEmpty();
    return AiMessage.builder()
        .text(silent ? null : reply.text())
        .thinking(reply.thoughts().isEmpty() ? null : reply.thoughts())
        .toolExecutionRequests(requests)
        .build();
  }

  static ToolExecutionRequest request(ToolCall call) {
    return ToolExecutionRequest.builder()
        .id(call.id())
        .name(call.name())
        .arguments(call.argumentsJson())
        .build();
  }
}

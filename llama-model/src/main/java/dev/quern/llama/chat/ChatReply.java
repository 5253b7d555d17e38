package dev.quern.llama.chat;

import dev.quern.llama.Generation;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a model has answered.
///
/// @param text without the calls and what frames them; all pieces that the listener heard
/// @param toolCalls in the model's order, also of tools that were not offered: whoever runs tools
///   decides about those
/// @param generation tokens (those of the calls among them), the stop reason and times
/// @param promptTokens of the whole prompt
/// @param cachedTokens how many of these were in the engine's cache, and were not run again; 0
///   where the request was ended before its prompt was through
/// @since 0.1
/// @stability api
public record ChatReply(
    String text,
    List<ToolCall> toolCalls,
    Generation generation,
    int promptTokens,
    int cachedTokens) {
  public ChatReply {
    toolCalls = List.copyOf(toolCalls);
  }

  /// The reply as the conversation's next message. Without text it has no content where it calls
  /// tools, as templates expect it.
  public ChatMessage message() {
    Optional<String> content =
        text.isEmpty() && !toolCalls.isEmpty() ? Optional.empty() : Optional.of(text);
    return new ChatMessage("assistant", content, toolCalls, Map.of());
  }
}

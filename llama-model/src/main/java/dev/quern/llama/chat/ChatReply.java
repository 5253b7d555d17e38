package dev.quern.llama.chat;

import dev.quern.llama.Generation;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a model has answered.
///
/// @param text without thoughts, the calls and what frames them; all pieces that the listener heard
/// @param thoughts what the model thought before it spoke; empty where it did not
/// @param toolCalls in the model's order, also of tools that were not offered: whoever runs tools
///   decides about those
/// @param thoughtTokens of the generation's tokens those of the thoughts
/// @param generation tokens (those of thoughts and calls among them), the stop reason and times
/// @param promptTokens of the whole prompt
/// @param cachedTokens how many of these were in the engine's cache, and were not run again; 0
///   where the request was ended before its prompt was through
/// @since 0.1
/// @stability api
public record ChatReply(
    String text,
    String thoughts,
    List<ToolCall> toolCalls,
    int thoughtTokens,
    Generation generation,
    int promptTokens,
    int cachedTokens) {
  public ChatReply {
    toolCalls = List.copyOf(toolCalls);
  }

  /// The reply as the conversation's next message, thoughts in its field `reasoning_content`, which
  /// templates look for. Without text it has no content where it calls tools, as templates expect
  /// it.
  public ChatMessage message() {
    Optional<String> content =
        text.isEmpty() && !toolCalls.isEmpty() ? Optional.empty() : Optional.of(text);
    Map<String, Object> fields =
        thoughts.isEmpty() ? Map.of() : Map.of("reasoning_content", thoughts);
    return new ChatMessage("assistant", content, toolCalls, fields);
  }
}

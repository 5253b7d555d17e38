package dev.quern.cli.text;

import dev.quern.cli.console.Json;
import dev.quern.cli.console.UserException;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.llama.tokenizer.TokenizerException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// A conversation as JSON: an array of messages in the form that OpenAI's API takes as `messages`.
final class MessagesJson {
  private MessagesJson() {}

  /// A tree for JSON.
  static List<Map<String, Object>> tree(List<ChatMessage> messages) {
    return messages.stream().map(MessagesJson::message).toList();
  }

  private static Map<String, Object> message(ChatMessage message) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("role", message.role());
    json.put("content", message.content().orElse(null));
    if (!message.toolCalls().isEmpty()) {
      json.put("tool_calls", message.toolCalls().stream().map(MessagesJson::call).toList());
    }
    json.putAll(message.fields());
    return json;
  }

  private static Map<String, Object> call(ToolCall call) {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", call.name());
    function.put("arguments", Json.line(call.arguments())); // a text, there
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("id", call.id());
    json.put("type", "function");
    json.put("function", function);
    return json;
  }

  /// The messages of an array.
  ///
  /// @param tree as [Json#read] has it
  /// @param where what messages call it
  /// @throws UserException where it is none of messages, or empty
  static List<ChatMessage> read(Object tree, String where) {
    if (!(tree instanceof List<?> list) || list.isEmpty()) {
      throw new UserException(
          where
              + ": expected an array of messages, such as [{\"role\": \"user\", \"content\": \"Hi\"}]");
    }
    List<ChatMessage> messages = new ArrayList<>();
    for (Object entry : list) {
      String place = String.format(Locale.ROOT, "%s: message %d", where, messages.size() + 1);
      try {
        messages.add(message(entry, place));
      } catch (TokenizerException e) {
        throw new UserException(place + ": " + e.getMessage(), e);
      }
    }
    return messages;
  }

  private static ChatMessage message(Object entry, String where) {
    Map<String, Object> members = object(entry, where);
    Object role = members.remove("role");
    Object content = members.remove("content");
    Object calls = members.remove("tool_calls");
    List<ToolCall> toolCalls = calls == null ? List.of() : calls(calls, where + ", tool_calls");
    if (content == null && toolCalls.isEmpty()) {
      throw new UserException(where + ": no content, expected a text, or tool_calls");
    }
    return new ChatMessage(
        text(role, where + ", role"),
        content == null ? Optional.empty() : Optional.of(text(content, where + ", content")),
        toolCalls,
        members);
  }

  private static List<ToolCall> calls(Object tree, String where) {
    if (!(tree instanceof List<?> list)) {
      throw new UserException(where + ": expected an array");
    }
    List<ToolCall> calls = new ArrayList<>();
    for (Object entry : list) {
      Map<String, Object> call = object(entry, where);
      Map<String, Object> function = object(call.get("function"), where + ", function");
      calls.add(
          ToolCall.of(
              call.get("id") == null ? "" : text(call.get("id"), where + ", id"),
              text(function.get("name"), where + ", name"),
              text(function.get("arguments"), where + ", arguments")));
    }
    return calls;
  }

  /// A copy, to take members from.
  private static Map<String, Object> object(Object tree, String where) {
    if (!(tree instanceof Map<?, ?> map)) {
      throw new UserException(where + ": expected an object");
    }
    Map<String, Object> copy = new LinkedHashMap<>();
    map.forEach((key, value) -> copy.put((String) key, value));
    return copy;
  }

  private static String text(Object value, String where) {
    if (value instanceof String text) {
      return text;
    }
    throw new UserException(where + (value == null ? ": missing" : "") + ": expected a text");
  }
}

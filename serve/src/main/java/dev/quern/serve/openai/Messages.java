package dev.quern.serve.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.serve.answer.ToolFields;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Reads the messages of a conversation.
final class Messages {
  private static final List<String> ROLES =
      List.of("system", "developer", "user", "assistant", "tool");

  private Messages() {}

  /// @throws HttpFailure 400 where one is none
  static List<ChatMessage> read(JsonFields f) {
    List<JsonFields> given = f.objects("messages");
    if (given.isEmpty()) {
      throw f.missing("messages", "an array with at least one message");
    }
    return given.stream().map(Messages::message).toList();
  }

  private static ChatMessage message(JsonFields m) {
    String role =
        m.word("role", ROLES).orElseThrow(() -> m.missing("role", String.join(" or ", ROLES)));
    Optional<String> content = content(m);
    List<ToolCall> calls = role.equals("assistant") ? calls(m) : List.of();
    if (content.isEmpty() && calls.isEmpty()) {
      throw m.missing("content", "a string, or an array of parts of type text");
    }
    // Templates know the older name of the role.
    String known = role.equals("developer") ? "system" : role;
    ChatMessage message = new ChatMessage(known, content, calls, Map.of());
    if (role.equals("tool")) {
      message =
          message.with(
              "tool_call_id",
              m.string("tool_call_id")
                  .orElseThrow(() -> m.missing("tool_call_id", "the id of the call")));
    }
    Optional<String> name = m.string("name");
    message = name.isPresent() ? message.with("name", name.get()) : message;
    if (role.equals("assistant")) {
      Optional<String> reasoning = m.string("reasoning_content");
      message =
          reasoning.isPresent() ? message.with("reasoning_content", reasoning.get()) : message;
      m.only("refusal", "null", "no model here refuses in a field of its own");
      m.only("audio", "null", "audio is not done");
      m.only("function_call", "null", "expected tool_calls, which took its place");
      m.only("annotations", "[]", "there are none");
    }
    m.end();
    return message;
  }

  private static Optional<String> content(JsonFields m) {
    Optional<JsonNode> content = m.any("content");
    if (content.isEmpty() || content.get().isTextual()) {
      return content.map(JsonNode::textValue);
    }
    if (!content.get().isArray()) {
      throw m.wrong("content", "a string, or an array of parts of type text");
    }
    StringBuilder text = new StringBuilder();
    for (JsonFields part : m.objects("content")) {
      String type = part.string("type").orElseThrow(() -> part.missing("type", "text"));
      if (!type.equals("text")) {
        throw HttpFailure.unsupported(
            part.path("type"),
            String.format(
                Locale.ROOT,
                "%s: parts of another type than text are not done (images, audio, files), expected text",
                part.path("type")));
      }
      text.append(part.string("text").orElseThrow(() -> part.missing("text", "a string")));
      part.end();
    }
    return Optional.of(text.toString());
  }

  private static List<ToolCall> calls(JsonFields m) {
    List<ToolCall> calls = new ArrayList<>();
    for (JsonFields call : m.objects("tool_calls")) {
      call.only("type", "\"function\"", "tools of another type are not done");
      JsonFields function =
          call.object("function").orElseThrow(() -> call.missing("function", "an object"));
      String arguments =
          function
              .string("arguments")
              .orElseThrow(() -> function.missing("arguments", "a JSON object as a string"));
      String id = call.string("id").orElse("");
      String name = function.string("name").orElseThrow(() -> function.missing("name", "a string"));
      calls.add(ToolFields.call(function, id, name, arguments));
      function.end();
      call.meansNothing("index");
      call.end();
    }
    return calls;
  }
}

package dev.quern.serve.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.serve.answer.ToolFields;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Reads a response's `instructions` and `input`: a text, or items, of which messages and calls
/// that follow one another are the turns of a conversation.
final class ResponseInput {
  private static final List<String> ITEMS =
      List.of("message", "reasoning", "function_call", "function_call_output");
  private static final List<String> ROLES = List.of("system", "developer", "user", "assistant");
  private static final List<String> TEXTS = List.of("input_text", "output_text");

  private final List<ChatMessage> messages = new ArrayList<>();
  private String thoughts = ""; // of the assistant's turn that comes next

  private ResponseInput() {}

  /// @throws HttpFailure 400 where an item is none, or of a type that is not done
  static List<ChatMessage> read(JsonFields f) {
    ResponseInput reader = new ResponseInput();
    f.string("instructions").ifPresent(text -> reader.messages.add(ChatMessage.system(text)));
    JsonNode input =
        f.any("input").orElseThrow(() -> f.missing("input", "a string, or an array of items"));
    if (input.isTextual()) {
      reader.messages.add(ChatMessage.user(input.textValue()));
      return reader.messages;
    }
    if (!input.isArray() || input.isEmpty()) {
      throw f.wrong("input", "a string, or an array with at least one item");
    }
    f.objects("input").forEach(reader::item);
    if (!reader.thoughts.isEmpty()) {
      throw f.wrong("input", "a message or a call of the assistant behind its reasoning");
    }
    return reader.messages;
  }

  private void item(JsonFields item) {
    String type = item.string("type").orElse("message");
    item.meansNothing("id", "status");
    switch (type) {
      case "message" -> message(item);
      case "reasoning" -> reasoning(item);
      case "function_call" -> call(item);
      case "function_call_output" -> output(item);
      default ->
          throw HttpFailure.unsupported(
              item.path("type"),
              String.format(
                  Locale.ROOT,
                  "%s: items of another type are not done, expected %s",
                  item.path("type"),
                  String.join(" or ", ITEMS)));
    }
    item.end();
  }

  private void message(JsonFields item) {
    String role =
        item.word("role", ROLES)
            .orElseThrow(() -> item.missing("role", String.join(" or ", ROLES)));
    item.only("phase", "\"final_answer\"", "replies have one part");
    String text =
        text(item, "content").orElseThrow(() -> item.missing("content", "a string, or parts"));
    ChatMessage message = ChatMessage.of(role.equals("developer") ? "system" : role, text);
    messages.add(role.equals("assistant") ? withThoughts(message) : message);
  }

  /// What the model thought before the message or the call that follows.
  private void reasoning(JsonFields item) {
    item.only("summary", "[]", "thoughts are as the model wrote them");
    item.only("encrypted_content", "null", "nothing is encrypted");
    StringBuilder text = new StringBuilder(thoughts);
    for (JsonFields part : item.objects("content")) {
      part.word("type", List.of("reasoning_text"))
          .orElseThrow(() -> part.missing("type", "reasoning_text"));
      text.append(part.string("text").orElseThrow(() -> part.missing("text", "a string")));
      part.end();
    }
    thoughts = text.toString();
  }

  private ChatMessage withThoughts(ChatMessage turn) {
    ChatMessage thought = thoughts.isEmpty() ? turn : turn.with("reasoning_content", thoughts);
    thoughts = "";
    return thought;
  }

  /// A text, or its parts.
  private static Optional<String> text(JsonFields item, String name) {
    Optional<JsonNode> content = item.any(name);
    if (content.isEmpty() || content.get().isTextual()) {
      return content.map(JsonNode::textValue);
    }
    if (!content.get().isArray()) {
      throw item.wrong(name, "a string, or an array of parts of text");
    }
    StringBuilder text = new StringBuilder();
    for (JsonFields part : item.objects(name)) {
      String type = part.string("type").orElseThrow(() -> part.missing("type", "input_text"));
      if (!TEXTS.contains(type)) {
        throw HttpFailure.unsupported(
            part.path("type"),
            String.format(
                Locale.ROOT,
                "%s: parts that are no text are not done (images, audio, files), expected %s",
                part.path("type"),
                String.join(" or ", TEXTS)));
      }
      text.append(part.string("text").orElseThrow(() -> part.missing("text", "a string")));
      part.only("annotations", "[]", "there are none");
      part.meansNothing("logprobs"); // of a reply that was given
      part.end();
    }
    return Optional.of(text.toString());
  }

  /// Calls of one turn are items of their own, and one message for templates.
  private void call(JsonFields item) {
    String name = item.string("name").orElseThrow(() -> item.missing("name", "a string"));
    String id = item.string("call_id").orElseThrow(() -> item.missing("call_id", "a string"));
    String arguments =
        item.string("arguments")
            .orElseThrow(() -> item.missing("arguments", "a JSON object as a string"));
    ChatMessage turn =
        !messages.isEmpty() && messages.getLast().role().equals("assistant")
            ? messages.removeLast()
            : withThoughts(new ChatMessage("assistant", Optional.empty(), List.of(), Map.of()));
    messages.add(turn.withToolCall(ToolFields.call(item, id, name, arguments)));
  }

  private void output(JsonFields item) {
    String id = item.string("call_id").orElseThrow(() -> item.missing("call_id", "a string"));
    String output =
        text(item, "output").orElseThrow(() -> item.missing("output", "a string, or parts"));
    messages.add(ChatMessage.tool(id, output));
  }
}

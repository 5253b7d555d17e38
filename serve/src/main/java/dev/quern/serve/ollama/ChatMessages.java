package dev.quern.serve.ollama;

import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.serve.answer.ToolFields;
import dev.quern.serve.http.JsonFields;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Reads a conversation. Calls and their answers belong together by their order where they have no
/// ids, as in Ollama's protocol they need not; templates that write ids see some of nine
/// characters, which Mistral's insist on.
final class ChatMessages {
  private static final List<String> ROLES = List.of("system", "user", "assistant", "tool");

  private final Deque<String> unanswered = new ArrayDeque<>();
  private int calls;

  private ChatMessages() {}

  /// @return none where there are none
  /// @throws HttpFailure 400 where one is none
  static List<ChatMessage> read(JsonFields f) {
    ChatMessages reader = new ChatMessages();
    return f.objects("messages").stream().map(reader::message).toList();
  }

  private ChatMessage message(JsonFields m) {
    String role =
        m.word("role", ROLES).orElseThrow(() -> m.missing("role", String.join(" or ", ROLES)));
    Optional<String> content = m.string("content");
    List<ToolCall> called = role.equals("assistant") ? calls(m) : List.of();
    if (content.isEmpty() && called.isEmpty()) {
      throw m.missing("content", "a string");
    }
    refuseImages(m);
    Optional<String> text = called.isEmpty() ? content : content.filter(c -> !c.isEmpty());
    ChatMessage message = new ChatMessage(role, text, called, Map.of());
    if (role.equals("tool")) {
      message = answer(m, message);
    }
    if (role.equals("assistant")) {
      Optional<String> thinking = m.string("thinking").filter(t -> !t.isEmpty());
      message = thinking.isPresent() ? message.with("reasoning_content", thinking.get()) : message;
    }
    m.end();
    return message;
  }

  /// @throws HttpFailure 400 where there are images
  static void refuseImages(JsonFields f) {
    f.only("images", "[]", "images are not done");
  }

  private ChatMessage answer(JsonFields m, ChatMessage message) {
    Optional<String> name = m.string("tool_name");
    Optional<String> id = m.string("tool_call_id");
    id.ifPresent(unanswered::remove);
    String call = id.orElseGet(() -> unanswered.isEmpty() ? nextId() : unanswered.removeFirst());
    ChatMessage answer = message.with("tool_call_id", call);
    return name.isPresent() ? answer.with("name", name.get()) : answer;
  }

  private List<ToolCall> calls(JsonFields m) {
    List<ToolCall> all = new ArrayList<>();
    for (JsonFields call : m.objects("tool_calls")) {
      call.only("type", "\"function\"", "tools of another type are not done");
      JsonFields function =
          call.object("function").orElseThrow(() -> call.missing("function", "an object"));
      String name = function.string("name").orElseThrow(() -> function.missing("name", "a string"));
      String arguments =
          function
              .object("arguments")
              .map(JsonFields::text)
              .orElseThrow(() -> function.missing("arguments", "an object"));
      String id = call.string("id").filter(given -> !given.isEmpty()).orElseGet(this::nextId);
      all.add(ToolFields.call(function, id, name, arguments));
      unanswered.add(id);
      function.meansNothing("index", "description");
      function.end();
      call.end();
    }
    return all;
  }

  private String nextId() {
    calls++;
    return String.format(Locale.ROOT, "call%05d", calls);
  }
}

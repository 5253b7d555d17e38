package dev.quern.serve.openai;

import dev.quern.llama.Piece;
import dev.quern.llama.chat.ChatListener;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.serve.answer.Answers;
import dev.quern.serve.answer.Ids;
import dev.quern.serve.http.EventStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The events of a streamed response. Text comes on one thread and the end on another, behind it.
final class ResponseEvents {
  private final EventStream events;
  private final ResponseObject response;
  private final String messageId = Ids.next("msg_");
  private final List<Map<String, Object>> output = new ArrayList<>(); // items that are whole
  private final String thoughtsId = Ids.next("rs_");
  private final StringBuilder text = new StringBuilder();
  private final StringBuilder thoughts = new StringBuilder();
  private boolean thoughtsEnded;
  private boolean begun;
  private boolean speaking;
  private int number;

  ResponseEvents(EventStream events, ResponseObject response) {
    this.events = events;
    this.response = response;
  }

  /// Says that the response has begun, if that was not said.
  synchronized void begin() {
    if (!begun) {
      begun = true;
      send("response.created", "response", response.begun());
      send("response.in_progress", "response", response.begun());
    }
  }

  /// Hears the text and the thoughts; calls are told at the end.
  ChatListener listener() {
    return new ChatListener() {
      @Override
      public void text(Piece piece) {
        delta(piece.text());
      }

      @Override
      public void thought(Piece piece) {
        think(piece.text());
      }
    };
  }

  private synchronized void think(String part) {
    begin();
    if (part.isEmpty()) {
      return;
    }
    if (thoughts.isEmpty()) {
      added(ResponseObject.reasoning(thoughtsId, "in_progress", List.of()));
      Map<String, Object> fields = ofPart(thoughtsId);
      fields.put("part", ResponseObject.thought(""));
      send("response.content_part.added", fields);
    }
    thoughts.append(part);
    Map<String, Object> fields = ofPart(thoughtsId);
    fields.put("delta", part);
    send("response.reasoning_text.delta", fields);
  }

  /// The thoughts are whole where something else comes.
  private void endThoughts(String status) {
    if (thoughts.isEmpty() || thoughtsEnded) {
      return;
    }
    thoughtsEnded = true;
    Map<String, Object> done = ofPart(thoughtsId);
    done.put("text", thoughts.toString());
    send("response.reasoning_text.done", done);
    Map<String, Object> part = ResponseObject.thought(thoughts.toString());
    Map<String, Object> whole = ofPart(thoughtsId);
    whole.put("part", part);
    send("response.content_part.done", whole);
    done(ResponseObject.reasoning(thoughtsId, status, List.of(part)));
  }

  private synchronized void delta(String part) {
    begin();
    if (part.isEmpty()) {
      return;
    }
    speak();
    text.append(part);
    Map<String, Object> fields = ofPart();
    fields.put("delta", part);
    fields.put("logprobs", List.of());
    send("response.output_text.delta", fields);
  }

  private void speak() {
    if (speaking) {
      return;
    }
    speaking = true;
    endThoughts("completed");
    added(ResponseObject.message(messageId, "in_progress", List.of()));
    Map<String, Object> fields = ofPart();
    fields.put("part", ResponseObject.text(""));
    send("response.content_part.added", fields);
  }

  /// The end of text or thoughts, the calls, and the whole.
  synchronized void end(Answers.Ended ended, boolean length) {
    begin();
    boolean silent = !ended.calls().isEmpty() || !thoughts.isEmpty();
    if (speaking || !silent) {
      speak();
      endText(length ? "incomplete" : "completed");
    }
    endThoughts(length && ended.calls().isEmpty() ? "incomplete" : "completed");
    ended.calls().forEach(this::call);
    send(
        length ? "response.incomplete" : "response.completed",
        "response",
        response.ended(output, ended, length));
  }

  private void endText(String status) {
    Map<String, Object> done = ofPart();
    done.put("text", text.toString());
    done.put("logprobs", List.of());
    send("response.output_text.done", done);
    Map<String, Object> part = ResponseObject.text(text.toString());
    Map<String, Object> whole = ofPart();
    whole.put("part", part);
    send("response.content_part.done", whole);
    done(ResponseObject.message(messageId, status, List.of(part)));
  }

  private void call(ToolCall call) {
    String id = Ids.next("fc_");
    String arguments = call.argumentsJson();
    added(ResponseObject.call(id, "in_progress", call, ""));
    Map<String, Object> delta = ofItem(id);
    delta.put("delta", arguments);
    send("response.function_call_arguments.delta", delta);
    Map<String, Object> whole = ofItem(id);
    whole.put("name", call.name());
    whole.put("arguments", arguments);
    send("response.function_call_arguments.done", whole);
    done(ResponseObject.call(id, "completed", call, arguments));
  }

  /// What went wrong, behind the beginning.
  ///
  /// @param error OpenAI's error object
  synchronized void fail(Object error) {
    begin();
    Map<String, Object> told = new LinkedHashMap<>();
    if (error instanceof Map<?, ?> body && body.get("error") instanceof Map<?, ?> inner) {
      told.put("code", inner.get("code"));
      told.put("message", inner.get("message"));
    }
    send("response.failed", "response", response.failed(told));
  }

  private void added(Map<String, Object> item) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("output_index", output.size());
    fields.put("item", item);
    send("response.output_item.added", fields);
  }

  private void done(Map<String, Object> item) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("output_index", output.size());
    fields.put("item", item);
    output.add(item);
    send("response.output_item.done", fields);
  }

  private Map<String, Object> ofItem(String id) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("item_id", id);
    fields.put("output_index", output.size());
    return fields;
  }

  private Map<String, Object> ofPart() {
    return ofPart(messageId);
  }

  private Map<String, Object> ofPart(String id) {
    Map<String, Object> fields = ofItem(id);
    fields.put("content_index", 0);
    return fields;
  }

  private void send(String type, String name, Object value) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put(name, value);
    send(type, fields);
  }

  private void send(String type, Map<String, Object> fields) {
    Map<String, Object> event = new LinkedHashMap<>();
    event.put("type", type);
    event.put("sequence_number", number++);
    event.putAll(fields);
    events.send(type, event);
  }
}

package dev.quern.serve.openai;

import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.serve.answer.Answers;
import dev.quern.serve.answer.Ids;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A response, and what it consists of, as OpenAI's reference has them.
///
/// @param created seconds of Unix
/// @param shown what it repeats of the request
record ResponseObject(String id, long created, String model, Map<String, Object> shown) {
  static ResponseObject of(String model, Map<String, Object> shown) {
    return new ResponseObject(Ids.next("resp_"), System.currentTimeMillis() / 1000, model, shown);
  }

  /// One that has begun.
  Map<String, Object> begun() {
    return with("in_progress", List.of(), null, null, null);
  }

  /// One that is whole.
  ///
  /// @param length whether its text was cut by `max_output_tokens`, or by the context
  Map<String, Object> ended(List<Map<String, Object>> output, Answers.Ended ended, boolean length) {
    return with(
        length ? "incomplete" : "completed",
        output,
        length ? Map.of("reason", "max_output_tokens") : null,
        null,
        usage(ended));
  }

  /// One that failed.
  ///
  /// @param error code and message
  Map<String, Object> failed(Map<String, Object> error) {
    return with("failed", List.of(), null, error, null);
  }

  private Map<String, Object> with(
      String status,
      List<Map<String, Object>> output,
      Map<String, Object> incomplete,
      Map<String, Object> error,
      Map<String, Object> usage) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("id", id);
    all.put("object", "response");
    all.put("created_at", created);
    all.put("status", status);
    all.put("error", error);
    all.put("incomplete_details", incomplete);
    all.put("model", model);
    all.put("output", output);
    all.put("usage", usage);
    all.putAll(shown);
    return all;
  }

  private static Map<String, Object> usage(Answers.Ended ended) {
    int output = ended.generation().tokens().size();
    Map<String, Object> usage = new LinkedHashMap<>();
    usage.put("input_tokens", ended.promptTokens());
    usage.put("input_tokens_details", Map.of("cached_tokens", ended.cachedTokens()));
    usage.put("output_tokens", output);
    usage.put("output_tokens_details", Map.of("reasoning_tokens", ended.thoughtTokens()));
    usage.put("total_tokens", ended.promptTokens() + output);
    return usage;
  }

  /// An item that is a message.
  ///
  /// @param status `in_progress`, `completed` or `incomplete`
  static Map<String, Object> message(String id, String status, List<Map<String, Object>> content) {
    Map<String, Object> item = new LinkedHashMap<>();
    item.put("id", id);
    item.put("type", "message");
    item.put("status", status);
    item.put("role", "assistant");
    item.put("content", content);
    return item;
  }

  /// An item that is what the model thought.
  static Map<String, Object> reasoning(
      String id, String status, List<Map<String, Object>> content) {
    Map<String, Object> item = new LinkedHashMap<>();
    item.put("id", id);
    item.put("type", "reasoning");
    item.put("status", status);
    item.put("summary", List.of());
    item.put("content", content);
    return item;
  }

  static Map<String, Object> thought(String text) {
    Map<String, Object> part = new LinkedHashMap<>();
    part.put("type", "reasoning_text");
    part.put("text", text);
    return part;
  }

  static Map<String, Object> text(String text) {
    Map<String, Object> part = new LinkedHashMap<>();
    part.put("type", "output_text");
    part.put("text", text);
    part.put("annotations", List.of());
    part.put("logprobs", List.of());
    return part;
  }

  /// An item that is a call.
  ///
  /// @param arguments a JSON object, or nothing where it has only begun
  static Map<String, Object> call(String id, String status, ToolCall call, String arguments) {
    Map<String, Object> item = new LinkedHashMap<>();
    item.put("id", id);
    item.put("type", "function_call");
    item.put("status", status);
    item.put("call_id", call.id());
    item.put("name", call.name());
    item.put("arguments", arguments);
    return item;
  }
}

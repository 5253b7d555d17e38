package dev.quern.llama.tokenizer;

import dev.quern.llama.jinja.Own;
import dev.quern.llama.text.JsonWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A message of a conversation, as chat templates see it.
///
/// ```java
/// List.of(
///     ChatMessage.system("Be brief."),
///     ChatMessage.user("Will it rain in Zürich?"),
///     ChatMessage.calls(ToolCall.of("call00001", "get_weather", "{\"place\": \"Zürich\"}")),
///     ChatMessage.tool("call00001", "{\"rain\": true}"));
/// ```
///
/// @param role `system`, `user`, `assistant`, `tool`, or another one that the template knows
/// @param content empty where a message has tool calls alone: the template sees `none`
/// @param toolCalls what the assistant asks for; empty where it asks for nothing, and the template
///   sees no `tool_calls`
/// @param fields what else the template looks for in a message, such as `tool_call_id`, `name`,
///   `reasoning_content`: values as JSON has them
/// @since 0.1
/// @stability api
public record ChatMessage(
    String role, Optional<String> content, List<ToolCall> toolCalls, Map<String, Object> fields) {
  /// Roles whose names templates may make tokens of (`'<|' + role + '|>'`).
  private static final Set<String> ROLES =
      Set.of("system", "developer", "user", "assistant", "tool");

  private static final Set<String> COMPONENTS = Set.of("role", "content", "tool_calls");

  /// A tool that the assistant asks for.
  ///
  /// @param id by which the answer names the call; may be empty, and the template then sees none
  /// @param name the tool's
  /// @param arguments values as JSON has them
  public record ToolCall(String id, String name, Map<String, Object> arguments) {
    public ToolCall {
      arguments = JsonValues.object("tool call", arguments);
    }

    /// @param arguments a JSON object
    /// @throws TokenizerException where it is none
    public static ToolCall of(String id, String name, String arguments) {
      return new ToolCall(id, name, JsonValues.parsed("tool call", arguments));
    }

    /// The arguments as a JSON object, without blanks.
    public String argumentsJson() {
      return JsonWriter.text(arguments);
    }

    private Map<String, Object> values() {
      Map<String, Object> function = new LinkedHashMap<>();
      function.put("name", name);
      function.put("arguments", arguments);
      Map<String, Object> values = new LinkedHashMap<>();
      if (!id.isEmpty()) {
        values.put("id", id);
      }
      values.put("type", "function");
      values.put("function", function);
      return values;
    }
  }

  /// @throws TokenizerException where a field is one of the other components, or no value of JSON's
  public ChatMessage {
    toolCalls = List.copyOf(toolCalls);
    fields = JsonValues.object("message", fields);
    for (String name : COMPONENTS) {
      if (fields.containsKey(name)) {
        throw TokenizerException.ofCaller(
            "message: a field " + name + ", expected it as the message's own component");
      }
    }
  }

  public static ChatMessage of(String role, String content) {
    return new ChatMessage(role, Optional.of(content), List.of(), Map.of());
  }

  public static ChatMessage system(String content) {
    return of("system", content);
  }

  public static ChatMessage user(String content) {
    return of("user", content);
  }

  public static ChatMessage assistant(String content) {
    return of("assistant", content);
  }

  /// The assistant asks for tools and says nothing.
  public static ChatMessage calls(ToolCall... calls) {
    return new ChatMessage("assistant", Optional.empty(), List.of(calls), Map.of());
  }

  /// A tool's answer.
  ///
  /// @param callId of the call
  public static ChatMessage tool(String callId, String content) {
    return of("tool", content).with("tool_call_id", callId);
  }

  /// The same message with one more tool call.
  public ChatMessage withToolCall(ToolCall call) {
    List<ToolCall> calls = new ArrayList<>(toolCalls);
    calls.add(call);
    return new ChatMessage(role, content, calls, fields);
  }

  /// The same message with a field, or another value of it.
  ///
  /// @param value Map, List, String, Number, Boolean or null
  public ChatMessage with(String field, Object value) {
    Map<String, Object> changed = new LinkedHashMap<>(fields);
    changed.put(field, value);
    return new ChatMessage(role, content, toolCalls, changed);
  }

  /// What a template is given, in transformers' order: some print it whole.
  Map<String, Object> values() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("role", ROLES.contains(role) ? new Own(role) : role);
    values.put("content", content.orElse(null));
    if (!toolCalls.isEmpty()) {
      values.put("tool_calls", toolCalls.stream().map(ToolCall::values).toList());
    }
    values.putAll(fields);
    return values;
  }
}

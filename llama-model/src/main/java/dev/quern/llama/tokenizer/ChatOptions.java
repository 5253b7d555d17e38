package dev.quern.llama.tokenizer;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What a chat template is given beside the messages. Made by [#defaults] and changed by the `with`
/// methods.
///
/// @param tools that the model may call: JSON schemas, as transformers passes them (`{"type":
///   "function", "function": {"name", "description", "parameters"}}`)
/// @param variables other names that the template knows, such as `enable_thinking` (Qwen3): values
///   as JSON has them
/// @since 0.1
/// @stability api
public record ChatOptions(List<Map<String, Object>> tools, Map<String, Object> variables) {
  private static final Set<String> TAKEN =
      Set.of("messages", "tools", "add_generation_prompt", "bos_token", "eos_token");

  private static final ChatOptions DEFAULTS = new ChatOptions(List.of(), Map.of());

  /// @throws TokenizerException where a value is none of JSON's, or a variable is one that
  ///   templates have from elsewhere
  public ChatOptions {
    tools = tools.stream().map(tool -> JsonValues.object("tool", tool)).toList();
    variables = JsonValues.object("chat", variables);
    for (String name : TAKEN) {
      if (variables.containsKey(name)) {
        throw TokenizerException.ofCaller(
            "chat: a variable "
                + name
                + ", expected another name: templates have this one already");
      }
    }
  }

  /// No tools and no variables.
  public static ChatOptions defaults() {
    return DEFAULTS;
  }

  /// Other tools.
  public ChatOptions withTools(List<Map<String, Object>> tools) {
    return new ChatOptions(tools, variables);
  }

  /// One more tool.
  ///
  /// @param json its schema, an object
  /// @throws TokenizerException where it is none
  public ChatOptions withTool(String json) {
    List<Map<String, Object>> more = new ArrayList<>(tools);
    more.add(JsonValues.parsed("tool", json));
    return withTools(more);
  }

  /// @param value Map, List, String, Number, Boolean or null
  public ChatOptions withVariable(String name, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(variables);
    more.put(name, value);
    return new ChatOptions(tools, more);
  }
}

package dev.quern.serve.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.llama.chat.Tool;
import dev.quern.llama.chat.ToolChoice;
import dev.quern.llama.error.RequestException;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a model may call, and whether it has to.
///
/// @param parallel whether a reply may hold several calls
record ToolFields(List<Tool> tools, ToolChoice choice, boolean parallel) {
  private static final String NOTHING = "{\"type\":\"object\",\"properties\":{}}";

  /// @throws HttpFailure 400 where a tool is none, or the choice is of none that there is
  static ToolFields read(JsonFields f) {
    List<Tool> tools = new ArrayList<>();
    for (JsonFields tool : f.objects("tools")) {
      tools.add(tool(tool));
    }
    Optional<JsonNode> choice = f.any("tool_choice");
    boolean parallel = f.flag("parallel_tool_calls", true);
    ToolChoice read = choice.map(c -> choice(f, c)).orElse(ToolChoice.AUTO);
    boolean known =
        switch (read) {
          case ToolChoice.Named(String name) ->
              tools.stream().anyMatch(tool -> tool.name().equals(name));
          case ToolChoice.Mode mode -> mode != ToolChoice.Mode.REQUIRED || !tools.isEmpty();
        };
    if (!known) {
      throw f.wrong("tool_choice", "a function of the request's tools");
    }
    return new ToolFields(tools, read, parallel);
  }

  private static Tool tool(JsonFields tool) {
    tool.word("type", List.of("function")).orElseThrow(() -> tool.missing("type", "function"));
    JsonFields function =
        tool.object("function").orElseThrow(() -> tool.missing("function", "an object"));
    String name = function.string("name").orElseThrow(() -> function.missing("name", "a string"));
    Optional<String> description = function.string("description");
    String parameters = function.object("parameters").map(JsonFields::text).orElse(NOTHING);
    function.flag("strict", false); // calls that have to come keep to the schema in any case
    function.end();
    tool.end();
    try {
      return new Tool(name, description, parameters);
    } catch (RequestException e) {
      throw HttpFailure.invalid(tool.path("function"), e.getMessage()).because(e);
    }
  }

  private static ToolChoice choice(JsonFields f, JsonNode choice) {
    if (choice.isTextual()) {
      return switch (choice.textValue()) {
        case "auto" -> ToolChoice.AUTO;
        case "none" -> ToolChoice.NONE;
        case "required" -> ToolChoice.REQUIRED;
        default -> throw f.wrong("tool_choice", "auto, none, required, or a function");
      };
    }
    JsonFields named = JsonFields.of(f.path("tool_choice"), choice);
    named.word("type", List.of("function")).orElseThrow(() -> named.missing("type", "function"));
    JsonFields function =
        named.object("function").orElseThrow(() -> named.missing("function", "an object"));
    String name = function.string("name").orElseThrow(() -> function.missing("name", "a string"));
    function.end();
    named.end();
    return ToolChoice.named(name);
  }
}

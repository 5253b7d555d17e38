package dev.quern.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.llama.chat.Tool;
import dev.quern.llama.chat.ToolChoice;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.llama.tokenizer.TokenizerException;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a model may call, and whether it has to.
///
/// @param parallel whether a reply may hold several calls
public record ToolFields(List<Tool> tools, ToolChoice choice, boolean parallel) {
  private static final String NOTHING = "{\"type\":\"object\",\"properties\":{}}";

  /// As chats have them: a function is an object in its tool, and in a choice.
  ///
  /// @throws HttpFailure 400 where a tool is none, or the choice is of none that there is
  public static ToolFields read(JsonFields f) {
    return read(f, true);
  }

  /// As responses have them: a function's fields are beside its type.
  ///
  /// @throws HttpFailure 400 where a tool is none, or the choice is of none that there is
  public static ToolFields readFlat(JsonFields f) {
    return read(f, false);
  }

  private static ToolFields read(JsonFields f, boolean nested) {
    List<Tool> tools = tools(f, nested);
    Optional<JsonNode> choice = f.any("tool_choice");
    boolean parallel = f.flag("parallel_tool_calls", true);
    ToolChoice read = choice.map(c -> choice(f, c, nested)).orElse(ToolChoice.AUTO);
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

  /// `tools`, as chats have them.
  ///
  /// @throws HttpFailure 400 where one is none
  public static List<Tool> tools(JsonFields f) {
    return tools(f, true);
  }

  private static List<Tool> tools(JsonFields f, boolean nested) {
    List<Tool> tools = new ArrayList<>();
    for (JsonFields tool : f.objects("tools")) {
      tools.add(tool(tool, nested));
    }
    return tools;
  }

  private static Tool tool(JsonFields tool, boolean nested) {
    JsonFields function = function(tool, nested);
    String name = function.string("name").orElseThrow(() -> function.missing("name", "a string"));
    Optional<String> description = function.string("description");
    String parameters = function.object("parameters").map(JsonFields::text).orElse(NOTHING);
    function.flag("strict", false); // calls that have to come keep to the schema in any case
    function.end();
    tool.end();
    try {
      return new Tool(name, description, parameters);
    } catch (RequestException e) {
      throw HttpFailure.invalid(tool.path(nested ? "function" : "name"), e.getMessage()).because(e);
    }
  }

  /// A call that the conversation holds already.
  ///
  /// @param f has the field `arguments`
  /// @param arguments a JSON object
  /// @throws HttpFailure 400 where they are none
  public static ToolCall call(JsonFields f, String id, String name, String arguments) {
    try {
      return ToolCall.of(id, name, arguments);
    } catch (TokenizerException | RequestException e) {
      String path = f.path("arguments");
      throw HttpFailure.invalid(path, path + ": " + e.getMessage()).because(e);
    }
  }

  /// The fields of a function.
  private static JsonFields function(JsonFields given, boolean nested) {
    given.word("type", List.of("function")).orElseThrow(() -> given.missing("type", "function"));
    return nested
        ? given.object("function").orElseThrow(() -> given.missing("function", "an object"))
        : given;
  }

  private static ToolChoice choice(JsonFields f, JsonNode choice, boolean nested) {
    if (choice.isTextual()) {
      return switch (choice.textValue()) {
        case "auto" -> ToolChoice.AUTO;
        case "none" -> ToolChoice.NONE;
        case "required" -> ToolChoice.REQUIRED;
        default -> throw f.wrong("tool_choice", "auto, none, required, or a function");
      };
    }
    JsonFields named = JsonFields.of(f.path("tool_choice"), choice);
    JsonFields function = function(named, nested);
    String name = function.string("name").orElseThrow(() -> function.missing("name", "a string"));
    function.end();
    named.end();
    return ToolChoice.named(name);
  }
}

package dev.quern.llama.chat;

import dev.quern.llama.error.RequestException;
import dev.quern.llama.text.Json;
import dev.quern.llama.text.JsonWriter;
import dev.quern.llama.text.Printable;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// What a model may call.
///
/// @param name of up to 128 letters, digits and `_ - . /`
/// @param description what it does, and when to call it; a template sees an empty one where there
///   is none
/// @param parameters the JSON schema of its arguments, an object's: its `type` is `object`, or is
///   not written
/// @since 0.1
/// @stability api
public record Tool(String name, Optional<String> description, String parameters) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_./-]{1,128}");

  /// @throws RequestException where a component is none
  public Tool {
    if (!NAME.matcher(name).matches()) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "tool %s: name, expected 1 to 128 letters, digits and _ - . /",
              Printable.quoted(name)));
    }
    Object type = parsed(name, parameters).getOrDefault("type", "object");
    if (!type.equals("object")) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "tool %s: parameters of type %s, expected object",
              name,
              Printable.quoted(type.toString())));
    }
  }

  /// A tool with a description.
  public static Tool of(String name, String description, String parameters) {
    return new Tool(name, Optional.of(description), parameters);
  }

  /// As templates have it (see [dev.quern.llama.tokenizer.ChatOptions#tools()]).
  Map<String, Object> values() {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", name);
    function.put("description", description.orElse(""));
    function.put("parameters", parsed(name, parameters));
    Map<String, Object> tool = new LinkedHashMap<>();
    tool.put("type", "function");
    tool.put("function", function);
    return tool;
  }

  /// The schema of the arguments, which says that they are an object.
  String schema() {
    Map<String, Object> members =
        Json.exact("tool " + name + ": parameters", parameters, RequestException::new);
    members.putIfAbsent("type", "object");
    return JsonWriter.text(members);
  }

  private static Map<String, Object> parsed(String name, String parameters) {
    return Json.object("tool " + name + ": parameters", parameters, RequestException::new);
  }
}

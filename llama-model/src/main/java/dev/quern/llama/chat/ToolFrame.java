package dev.quern.llama.chat;

import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.error.RequestException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// How a model's template writes the tool calls of a reply, which is how the model was trained to
/// write them: what stands before the first call, in it beside name and arguments, between two
/// calls, and behind the last. Strings are as [FrameText] has them.
///
/// @param begin before the first call; blank where a call is marked by nothing: then the whole
///   reply is one
/// @param call in a call
/// @param between two calls; empty where a reply has one at most
/// @param end behind the last call, without what ends the turn
record ToolFrame(String begin, Call call, Optional<String> between, String end) {
  /// What a call is beside its name and its arguments, a JSON object.
  ///
  /// @param keys where the whole call is a JSON object, which may be written in any way that has
  ///   these
  /// @param before the name
  /// @param middle between name and arguments
  /// @param after the arguments
  record Call(Optional<Keys> keys, String before, String middle, String after) {}

  /// @param id that the model gives a call, if it does
  record Keys(String name, String arguments, Optional<String> id) {}

  /// What a reply is that is a call of one of some tools, with arguments that fit its schema.
  ///
  /// @throws RequestException where a tool's schema can't be kept to
  Constraint constraint(List<Tool> tools) {
    List<Constraint> calls = new ArrayList<>();
    for (Tool tool : tools) {
      List<Constraint> parts = new ArrayList<>();
      parts.add(Constraint.text(tool.name()));
      parts.addAll(FrameText.constraints(call.middle()));
      parts.add(arguments(tool));
      calls.add(Constraint.sequence(parts));
    }
    List<Constraint> parts = new ArrayList<>(FrameText.constraints(begin + call.before()));
    parts.add(Constraint.oneOf(calls));
    parts.addAll(FrameText.constraints(call.after() + end));
    return Constraint.sequence(parts);
  }

  private static Constraint arguments(Tool tool) {
    try {
      return Constraint.jsonSchema(tool.schema());
    } catch (LlamaException e) {
      throw new RequestException(
          "tool "
              + tool.name()
              + ": a call can't be held to its parameters: "
              + e.getMessage()
              + "; or leave the choice to the model (auto)",
          e);
    }
  }

  /// For people: `<tool_call>\n{"name": "NAME", "arguments": {...}}\n</tool_call>`, and what stands
  /// between two.
  @Override
  public String toString() {
    String one =
        FrameText.shown(
            begin + call.before() + "NAME" + call.middle() + "{...}" + call.after() + end);
    return between
        .map(b -> one + ", between two: " + FrameText.shown(b))
        .orElse(one + ", one call");
  }
}

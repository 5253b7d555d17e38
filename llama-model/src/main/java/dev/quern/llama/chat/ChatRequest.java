package dev.quern.llama.chat;

import dev.quern.llama.GenerationOptions;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.text.Printable;
import dev.quern.llama.tokenizer.ChatMessage;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// What a [ChatEngine] is asked for. Made by [#of] and changed by the `with` methods; the
/// constructor grows with them and is no promise.
///
/// @param messages the conversation so far, the newest message last
/// @param tools that the model may call, each name once
/// @param choice whether it is to call one
/// @param variables other names that the model's template knows, such as `enable_thinking` (Qwen3):
///   values as JSON has them
/// @param options how to generate the reply. A constraint is about replies that are text: where the
///   model decides, its reply is text that fits, or a call; where it has to call a tool, there is
///   no text
/// @param deadline how long the request may take, from its submission
/// @param thoughtsInText whether thoughts stay in the text as the model writes them, with their
///   frame
/// @since 0.1
/// @stability api
public record ChatRequest(
    List<ChatMessage> messages,
    List<Tool> tools,
    ToolChoice choice,
    Map<String, Object> variables,
    GenerationOptions options,
    Optional<Duration> deadline,
    boolean thoughtsInText) {

  /// @throws RequestException where tools have the same name, or the choice is of none that there
  ///   is
  public ChatRequest {
    messages = List.copyOf(messages);
    tools = List.copyOf(tools);
    variables = Collections.unmodifiableMap(new LinkedHashMap<>(variables));
    Objects.requireNonNull(options, "options");
    Objects.requireNonNull(deadline, "deadline");
    Set<String> names = new HashSet<>();
    for (Tool tool : tools) {
      if (!names.add(tool.name())) {
        throw new RequestException(
            String.format(
                Locale.ROOT, "tool %s: given twice, expected each name once", tool.name()));
      }
    }
    check(choice, names);
  }

  private static void check(ToolChoice choice, Set<String> names) {
    if (choice instanceof ToolChoice.Named(String tool) && !names.contains(tool)) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "tool choice: %s, expected one of the request's tools",
              Printable.quoted(tool)));
    }
    if (choice == ToolChoice.REQUIRED && names.isEmpty()) {
      throw new RequestException(
          "tool choice: a call is required and there are no tools, expected at least one");
    }
  }

  /// A request without tools, variables and a deadline.
  public static ChatRequest of(List<ChatMessage> messages, GenerationOptions options) {
    return new ChatRequest(
        messages, List.of(), ToolChoice.AUTO, Map.of(), options, Optional.empty(), false);
  }

  public ChatRequest withMessages(List<ChatMessage> messages) {
    return new ChatRequest(messages, tools, choice, variables, options, deadline, thoughtsInText);
  }

  /// @throws RequestException where two have the same name, or the choice is of none of them
  public ChatRequest withTools(List<Tool> tools) {
    return new ChatRequest(messages, tools, choice, variables, options, deadline, thoughtsInText);
  }

  /// @throws RequestException where it is of no tool that there is: give the tools first
  public ChatRequest withChoice(ToolChoice choice) {
    return new ChatRequest(messages, tools, choice, variables, options, deadline, thoughtsInText);
  }

  /// One more variable, or another value of it.
  ///
  /// @param value Map, List, String, Number, Boolean or null
  public ChatRequest withVariable(String name, Object value) {
    Map<String, Object> more = new LinkedHashMap<>(variables);
    more.put(name, value);
    return withVariables(more);
  }

  public ChatRequest withVariables(Map<String, Object> variables) {
    return new ChatRequest(messages, tools, choice, variables, options, deadline, thoughtsInText);
  }

  public ChatRequest withOptions(GenerationOptions options) {
    return new ChatRequest(messages, tools, choice, variables, options, deadline, thoughtsInText);
  }

  public ChatRequest withDeadline(Duration deadline) {
    return withDeadline(Optional.of(deadline));
  }

  /// @param deadline empty for none
  public ChatRequest withDeadline(Optional<Duration> deadline) {
    return new ChatRequest(messages, tools, choice, variables, options, deadline, thoughtsInText);
  }

  public ChatRequest withThoughtsInText(boolean thoughtsInText) {
    return new ChatRequest(messages, tools, choice, variables, options, deadline, thoughtsInText);
  }

  /// The tools that the model is told of.
  List<Tool> offered() {
    return choice == ToolChoice.NONE ? List.of() : tools;
  }
}

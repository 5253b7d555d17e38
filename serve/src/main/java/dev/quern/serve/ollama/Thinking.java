package dev.quern.serve.ollama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatOptions;
import dev.quern.llama.tokenizer.ChatTemplate;
import dev.quern.serve.http.HttpFailure;
import dev.quern.serve.http.JsonFields;
import dev.quern.serve.model.LoadedModel;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `think`: the switch that a model's template has for it.
final class Thinking {
  private static final List<String> NAMES =
      List.of("enable_thinking", "thinking"); // Qwen3's and SmolLM3's; Granite's
  private static final String FRAME = "</think>";
  private static final List<ChatMessage> TRIAL = List.of(ChatMessage.user("Why?"));

  private Thinking() {}

  /// What the template is given. A template without a switch is given nothing, which is what false
  /// asks for, and what true asks for where the template has the frame of thoughts.
  ///
  /// @throws HttpFailure 400 where the model is to think and its template has neither
  static Map<String, Object> variables(JsonFields f, LoadedModel model) {
    Optional<JsonNode> think = f.any("think");
    if (think.isEmpty()) {
      return Map.of();
    }
    if (!think.get().isBoolean()) {
      throw f.wrong("think", "true or false");
    }
    boolean on = think.get().booleanValue();
    ChatTemplate template = model.model().chatTemplate();
    Optional<String> name = name(template);
    if (name.isEmpty() && on && !template.mentions(FRAME)) {
      throw HttpFailure.unsupported(
          f.path("think"),
          "think: this model's template has no switch for it, expected false or no such field");
    }
    return name.<Map<String, Object>>map(n -> Map.of(n, on)).orElse(Map.of());
  }

  /// Whether a template's text has one of the switches, or the frame of thoughts.
  static boolean isNamedIn(String template) {
    return template.contains("enable_thinking")
        || template.contains("if thinking")
        || template.contains(FRAME);
  }

  /// The variable that makes a difference.
  static Optional<String> name(ChatTemplate template) {
    return NAMES.stream()
        .filter(name -> !Arrays.equals(tokens(template, name, true), tokens(template, name, false)))
        .findFirst();
  }

  private static int[] tokens(ChatTemplate template, String name, boolean on) {
    return template.render(TRIAL, ChatOptions.defaults().withVariable(name, on)).tokens();
  }
}

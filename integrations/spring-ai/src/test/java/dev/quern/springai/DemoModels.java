package dev.quern.springai;

import dev.quern.llama.Engine;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.chat.ChatEngine;
import dev.quern.llama.tokenizer.ChatTemplate;
import java.io.IOException;
import java.time.LocalDate;
import java.util.Optional;

/// The demo model with an engine of its own, and a template that knows tools, as Hermes writes
/// them; the model was trained for neither, so what it says is nonsense that constraints hold.
///
/// @param chat conversations in that template
record DemoModels(LlamaModel model, Engine engine, ChatEngine chat) implements AutoCloseable {
  private static final String TEMPLATE =
      """
      {%- for m in messages %}
          {{- m.role + ': ' }}
          {%- if m.content %}{{- m.content }}{% endif %}
          {%- for c in m.tool_calls or [] %}
              {{- '<tool_call>\\n{"name": "' + c.function.name + '", "arguments": ' + c.function.arguments | tojson + '}\\n</tool_call>' }}
          {%- endfor %}
          {{- '\\n' }}
      {%- endfor %}
      {%- for t in tools or [] %}{{- t.function.name + ' ' }}{% endfor %}
      {{- 'assistant: ' }}
      """;

  static DemoModels open() throws IOException {
    return open(EngineOptions.defaults().withSequences(2).withPrefixes(2));
  }

  static DemoModels open(EngineOptions options) throws IOException {
    LlamaModel model = LlamaModel.loadDemo(LoadOptions.defaults().withThreads(1));
    Engine engine = model.newEngine(options);
    ChatTemplate template =
        ChatTemplate.of(
            model.tokenizer(), Optional.of(TEMPLATE), Optional.empty(), LocalDate.of(2026, 1, 1));
    return new DemoModels(model, engine, new ChatEngine(model, engine, template));
  }

  /// With replies of at most so many tokens that say the same each time.
  QuernChatModel chatModel(int maxTokens) {
    return QuernChatModel.builder(model, chat)
        .name("demo")
        .options(options(maxTokens).build())
        .build();
  }

  static QuernChatOptionsBuilder options(int maxTokens) {
    return QuernChatOptions.builder().temperature(0.0).maxTokens(maxTokens);
  }

  @Override
  public void close() {
    model.close();
  }
}

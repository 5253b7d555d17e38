package dev.quern.serve;

import dev.quern.llama.EngineOptions;
import dev.quern.llama.SyntheticModel;
import dev.quern.serve.options.ModelsOptions;
import dev.quern.serve.options.ServedModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A random model `m` whose template writes tools and has a switch for thinking: what it says it
/// says by chance, but for what it is held to.
final class ToolModel {
  private static final String TEMPLATE =
      """
      {%- for m in messages %}
          {{- '<|start_header_id|>' + m.role + '<|end_header_id|>' }}
          {%- if loop.first and tools %}{{- tools | tojson }}{%- endif %}
          {{- m.content or '' }}
          {%- for call in m.tool_calls or [] %}
              {{- '\\n<call>{"name": "' + call.function.name + '", "arguments": ' }}
              {{- call.function.arguments | tojson + '}</call>' }}
          {%- endfor %}
          {{- '<|eot_id|>' }}
      {%- endfor %}
      {{- '<|start_header_id|>assistant<|end_header_id|>' }}
      {%- if enable_thinking %}{{- 'Hm.' }}{%- endif %}
      """;

  private ToolModel() {}

  static TestServer serve(Path folder) throws IOException {
    return serve(folder, TEMPLATE);
  }

  /// A model that thinks for as long as it may: its template opens the frame of thoughts.
  static TestServer serveThinker(Path folder) throws IOException {
    String begin = "{{- '<think>' }}{#- up to </think> #}";
    return serve(folder, TEMPLATE.replaceFirst("\\{%- if enable_thinking .*", begin));
  }

  private static TestServer serve(Path folder, String template) throws IOException {
    Path file =
        new SyntheticModel()
            .with("tokenizer.chat_template", template)
            .with("llama.context_length", 2048L)
            .write(folder.resolve("m.gguf"));
    return TestServer.start(
        http -> http,
        _ ->
            ModelsOptions.of(List.of(new ServedModel("m", Optional.of(file))))
                .withLoading(TestServer.loading().withContext(1024))
                .withEngine(EngineOptions.defaults().withSequences(2)));
  }
}

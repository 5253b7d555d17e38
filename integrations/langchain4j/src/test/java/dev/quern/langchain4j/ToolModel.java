package dev.quern.langchain4j;

import dev.quern.llama.checkpoint.DemoModel;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.llama.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/// The demo model with a chat template that knows tools, in few tokens: its context has 512. What
/// it says is nonsense, since nobody trained it so; what form that has is up to templates and
/// constraints.
final class ToolModel {
  /// As Hermes and Qwen write calls, in the frame of Llama 3.
  private static final String TEMPLATE =
      """
      {%- for t in tools or [] %}{{ t.function.name }} {% endfor %}
      {%- for m in messages %}
        {{- '<|start_header_id|>' + m.role + '<|end_header_id|>' + (m.content or '') }}
        {%- for c in m.tool_calls or [] %}
          {{- '<tool_call>\\n{"name": "' + c.function.name + '", "arguments": ' + c.function.arguments | tojson + '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|eot_id|>' }}
      {%- endfor %}
      {{- '<|start_header_id|>assistant<|end_header_id|>' }}
      """;

  private ToolModel() {}

  static Path write(Path folder) throws IOException {
    return write(folder.resolve("tool-model.gguf"), TEMPLATE);
  }

  /// One that thinks for as long as it may: its template opens the frame of thoughts.
  static Path writeThinker(Path folder) throws IOException {
    String begin = "{{- '<think>' }}{#- up to </think> #}\n";
    return write(folder.resolve("thinker.gguf"), TEMPLATE + begin);
  }

  private static Path write(Path file, String template) throws IOException {
    try (GgufFile model = DemoModel.open();
        GgufWriter writer = GgufWriter.create(file);
        Arena arena = Arena.ofConfined()) {
      for (String key : model.metadata().keys()) {
        writer.copy(model.metadata(), key);
      }
      writer.string("tokenizer.chat_template", template);
      for (GgufTensor tensor : model.tensors()) {
        writer.tensor(tensor.name(), tensor.format().orElseThrow(), tensor.dims());
      }
      for (GgufTensor tensor : model.tensors()) {
        writer.data(tensor.name(), model.map(tensor, arena));
      }
      writer.finish();
    }
    return file;
  }
}

package dev.quern.cli;

import dev.quern.llama.LlamaModel;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.llama.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/// Copies of a GGUF model with other texts.
public final class ChangedModel {
  private ChangedModel() {}

  /// The demo model with these strings in its metadata.
  public static Path ofDemo(Path target, Map<String, String> strings) throws IOException {
    return ofDemo(target, strings, UnaryOperator.identity());
  }

  /// @param strings metadata that is added, or replaces what is there
  /// @param token what becomes of a token's text
  public static Path ofDemo(Path target, Map<String, String> strings, UnaryOperator<String> token)
      throws IOException {
    try (GgufFile demo = LlamaModel.openDemo()) {
      return copy(demo, target, strings, token);
    }
  }

  /// The same of another model.
  public static Path of(
      Path source, Path target, Map<String, String> strings, UnaryOperator<String> token)
      throws IOException {
    try (GgufFile file = GgufFile.open(source)) {
      return copy(file, target, strings, token);
    }
  }

  private static Path copy(
      GgufFile file, Path target, Map<String, String> strings, UnaryOperator<String> token)
      throws IOException {
    String tokens = "tokenizer.ggml.tokens";
    try (Arena arena = Arena.ofConfined();
        GgufWriter writer = GgufWriter.create(target)) {
      for (String key : file.metadata().keys()) {
        if (key.equals(tokens)) {
          List<String> texts = file.metadata().strings(tokens);
          writer.strings(tokens, texts.stream().map(token).toList());
        } else if (!strings.containsKey(key)) {
          writer.copy(file.metadata(), key);
        }
      }
      strings.forEach(writer::string);
      for (GgufTensor tensor : file.tensors()) {
        writer.tensor(tensor.name(), tensor.type(), tensor.dims());
      }
      for (GgufTensor tensor : file.tensors()) {
        writer.data(tensor.name(), file.map(tensor, arena));
      }
      writer.finish();
    }
    Files.size(target); // it is there
    return target;
  }
}

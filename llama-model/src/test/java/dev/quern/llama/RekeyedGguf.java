package dev.quern.llama;

import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.llama.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Map;

/// A GGUF file with other keys, and the same tensors.
final class RekeyedGguf {
  private RekeyedGguf() {}

  /// @param keys without the architecture; in place of the file's, or besides
  static Path write(Path gguf, Path file, Map<String, Object> keys) throws IOException {
    try (GgufFile model = GgufFile.open(gguf);
        GgufWriter writer = GgufWriter.create(file);
        Arena arena = Arena.ofConfined()) {
      String prefix = model.metadata().string("general.architecture").orElseThrow() + ".";
      for (String key : model.metadata().keys()) {
        boolean replaced =
            key.startsWith(prefix) && keys.containsKey(key.substring(prefix.length()));
        if (!replaced) {
          writer.copy(model.metadata(), key);
        }
      }
      keys.forEach((key, value) -> SyntheticModel.put(writer, prefix + key, value));
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

package dev.quern.llama.quantize;

import dev.quern.data.BlockFormat;
import dev.quern.llama.LlamaException;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.llama.gguf.GgufWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/// A GGUF model as a source.
public final class GgufSource implements TensorSource {
  /// Keys that describe the file and not the model.
  private static final Set<String> OF_THE_FILE =
      Set.of(
          "general.alignment",
          "general.file_type",
          "general.quantization_version",
          "quern.quantized");

  private final GgufFile file;
  private final List<Tensor> tensors;

  private GgufSource(GgufFile file) {
    this.file = file;
    tensors = file.tensors().stream().map(t -> new Tensor(t.name(), format(t), t.dims())).toList();
  }

  /// Opens a file, or the first of several shards.
  ///
  /// @throws dev.quern.llama.gguf.GgufException where it is absent, or damaged
  /// @throws LlamaException where it holds weights that Quern can't decode
  public static GgufSource open(Path path) throws IOException {
    GgufFile file = GgufFile.open(path);
    try {
      return new GgufSource(file);
    } catch (Throwable t) { // rethrown: only what was opened here is released
      file.close();
      throw t;
    }
  }

  @Override
  public String name() {
    return file.files().getFirst().toString();
  }

  @Override
  public List<Tensor> tensors() {
    return tensors;
  }

  @Override
  public MemorySegment data(Tensor tensor, Arena arena) throws IOException {
    return file.map(file.tensor(tensor.name()), arena);
  }

  @Override
  public void writeMetadata(GgufWriter writer) {
    for (String key : file.metadata().keys()) {
      if (!OF_THE_FILE.contains(key) && !key.startsWith("split.")) {
        writer.copy(file.metadata(), key);
      }
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }

  private static BlockFormat format(GgufTensor tensor) {
    return tensor
        .format()
        .orElseThrow(() ->
            new LlamaException(
                "model: tensor %s has the type %s, expected F32, F16 or BF16"
                    .formatted(tensor.name(), tensor.type())));
  }
}

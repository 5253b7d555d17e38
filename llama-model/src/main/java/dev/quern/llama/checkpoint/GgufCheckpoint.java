package dev.quern.llama.checkpoint;

import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A GGUF file as a checkpoint: its tensors are what the names and the order come from.
final class GgufCheckpoint implements Checkpoint {
  /// Keys that describe the file and not the model; so do those of shards.
  private static final Set<String> OF_THE_FILE =
      Set.of(
          "general.alignment",
          "general.file_type",
          "general.quantization_version",
          "quern.quantized");

  private static final String SHARDS = "split.";

  private static final int MAX_ROPE_FACTORS = 1 << 16;

  private final GgufFile file;
  private final LlamaConfig config;

  private GgufCheckpoint(GgufFile file) throws IOException {
    this.file = file;
    this.config = GgufConfig.read(file.metadata(), vocabulary(file), ropeTensors(file));
  }

  static GgufCheckpoint open(Path path) throws IOException {
    return of(GgufFile.open(path));
  }

  /// @param file is closed if it is not a Llama model as Quern runs it
  static GgufCheckpoint of(GgufFile file) throws IOException {
    try {
      return new GgufCheckpoint(file);
    } catch (Throwable t) {
      try {
        file.close();
      } catch (IOException e) {
        t.addSuppressed(e);
      }
      throw t;
    }
  }

  @Override
  public LlamaConfig config() {
    return config;
  }

  @Override
  public Optional<Tokenizer> tokenizer(Optional<String> preTokenizer) {
    // "no_vocab" is what llama.cpp writes for a model that takes token ids only.
    String kind = file.metadata().string("tokenizer.ggml.model").orElse("no_vocab");
    return kind.equals("no_vocab") || kind.equals("none")
        ? Optional.empty()
        : Optional.of(Tokenizer.from(file.metadata(), preTokenizer, config.vocabulary()));
  }

  @Override
  public Optional<String> chatTemplate() {
    return file.metadata().string("tokenizer.chat_template");
  }

  @Override
  public List<Tensor> tensors() {
    return file.tensors().stream()
        .filter(t -> !file.isScales(t)) // part of the weights that they scale
        .map(this::tensor)
        .toList();
  }

  @Override
  public Optional<Tensor> find(String name) {
    return file.findTensor(name).map(this::tensor);
  }

  @Override
  public Tensor tensor(String name) {
    return tensor(file.tensor(name));
  }

  @Override
  public WeightMatrix weights(Tensor tensor, Arena arena, Workers workers) throws IOException {
    return file.weights(file.tensor(tensor.name()), arena);
  }

  @Override
  public float[] vector(Tensor tensor) throws IOException {
    return file.vector(file.tensor(tensor.name()));
  }

  @Override
  public List<Path> files() {
    return file.files();
  }

  @Override
  public void writeMetadata(GgufWriter writer) {
    for (String key : file.metadata().keys()) {
      if (!OF_THE_FILE.contains(key) && !key.startsWith(SHARDS)) {
        writer.copy(file.metadata(), key);
      }
    }
  }

  @Override
  public void close() throws IOException {
    file.close();
  }

  private Tensor tensor(GgufTensor t) {
    return new Tensor(
        t.name(),
        t.name(),
        t.type().toString(),
        t.format(),
        Arrays.stream(t.dims()).boxed().toList(),
        t.byteSize() + file.scales(t).map(GgufTensor::byteSize).orElse(0L));
  }

  private static Map<String, List<Float>> ropeTensors(GgufFile file) throws IOException {
    Map<String, List<Float>> tensors = new HashMap<>();
    for (String name : RopeScaling.tensorNames()) {
      Optional<GgufTensor> tensor = file.findTensor(name);
      if (tensor.isPresent()) {
        long[] dims = tensor.get().dims();
        if (dims.length != 1 || dims[0] > MAX_ROPE_FACTORS) {
          throw new LlamaException(
              String.format(
                  Locale.ROOT,
                  "model: tensor %s is %s, expected one dimension, half of a head",
                  name,
                  Arrays.toString(dims)));
        }
        List<Float> values = new ArrayList<>();
        for (float value : file.vector(tensor.get())) {
          values.add(value);
        }
        tensors.put(name, values);
      }
    }
    return tensors;
  }

  private static int vocabulary(GgufFile file) {
    GgufTensor embedding = file.tensor("token_embd.weight");
    long rows = embedding.dims().length == 2 ? embedding.dims()[1] : 0;
    if (rows < 1 || rows > 1 << 24) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: token_embd.weight has %d rows, expected 1 to %d",
              rows,
              1 << 24));
    }
    return (int) rows;
  }
}

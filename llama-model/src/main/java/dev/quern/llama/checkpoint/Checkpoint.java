package dev.quern.llama.checkpoint;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.llama.text.Printable;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A model of one of the families on disk, whatever container it is in: a GGUF file, or a folder
/// with safetensors or a `.pth`. Tensors have the names and the row order of GGUF's architecture of
/// the model's [Family], so that whoever reads one knows nothing of where it came from.
///
/// Safe for use by several threads.
///
/// @since 0.1
/// @stability api
public interface Checkpoint extends AutoCloseable {
  /// What a model is called that nobody has named: its file's or folder's name without `.gguf`; a
  /// root, which has no name, by its path.
  static String nameOf(Path path) {
    Path whole = path.toAbsolutePath().normalize();
    String name = (whole.getFileName() == null ? whole : whole.getFileName()).toString();
    return name.toLowerCase(Locale.ROOT).endsWith(".gguf")
        ? name.substring(0, name.length() - ".gguf".length())
        : name;
  }

  /// Opens a GGUF file (the first shard where there are several), or a model's folder.
  ///
  /// @throws LlamaException if it is not a Llama model as Quern runs it
  /// @throws dev.quern.llama.gguf.GgufException if a GGUF file is absent or damaged
  /// @throws dev.quern.llama.checkpoint.CheckpointException if a folder's file is absent or damaged
  static Checkpoint open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      return FolderCheckpoint.open(ModelFolder.open(path));
    }
    requireNoPart(path);
    return GgufCheckpoint.open(path);
  }

  /// Opens the demo model, where its artifact is there; it has no [#files()].
  static Checkpoint openDemo() throws IOException {
    return GgufCheckpoint.of(DemoModel.open());
  }

  /// Refuses a file that belongs to a model's folder, with the folder's name.
  ///
  /// @throws LlamaException if it is one
  static void requireNoPart(Path path) {
    String name = path.getFileName() == null ? "" : path.getFileName().toString();
    if (name.matches("(?i).*\\.(safetensors|pth|bin|json)")) {
      Path folder = path.toAbsolutePath().getParent();
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "%s: one file of a model's folder, expected a GGUF file, or the folder: %s",
              Printable.escaped(path.toString()),
              Printable.escaped(folder.toString())));
    }
  }

  /// A tensor that the checkpoint holds.
  ///
  /// @param name GGUF's, for example `blk.0.attn_q.weight`; the container's own where GGUF has none
  /// @param label what messages call it: the container's own name, on one line and safe to print
  /// @param type the container's name of the element type
  /// @param format the format that [Checkpoint#weights] gives it, empty where kernels have none
  /// @param dims `dims[0]` is the row length, as in GGUF
  /// @param byteSize bytes in that format, with a scale plane if it has one; negative if unknown
  record Tensor(
      String name,
      String label,
      String type,
      Optional<BlockFormat> format,
      List<Long> dims,
      long byteSize) {
    public Tensor {
      label = Printable.escaped(label);
      dims = List.copyOf(dims);
    }

    /// Number of weights.
    public long elements() {
      return dims.stream().reduce(1L, Math::multiplyExact);
    }

    /// Whether it has rows and columns, as opposed to the weights of a norm.
    public boolean isMatrix() {
      return dims.size() == 2;
    }
  }

  /// A low-rank adaptor beside a linear layer (LoRA): `y += scale * B(A(x))`.
  ///
  /// @param a `[rank, inputs]`
  /// @param b `[outputs, rank]`
  record Adaptor(Tensor a, Tensor b, float scale) {}

  /// The model's shape.
  LlamaConfig config();

  /// Text to tokens and back; empty if the checkpoint has no vocabulary.
  default Optional<Tokenizer> tokenizer() throws IOException {
    return tokenizer(Optional.empty());
  }

  /// As [#tokenizer()].
  ///
  /// @param preTokenizer in place of what a GGUF file says, such as `llama-bpe`
  /// @throws dev.quern.llama.tokenizer.TokenizerException also where one is given for a vocabulary
  ///   that has none
  Optional<Tokenizer> tokenizer(Optional<String> preTokenizer) throws IOException;

  /// The Jinja source of the chat template, if there is one.
  Optional<String> chatTemplate() throws IOException;

  /// All tensors.
  List<Tensor> tensors();

  /// The tensor of that name. Where embeddings are tied there is no `output.weight`.
  Optional<Tensor> find(String name);

  /// The tensor of that name.
  ///
  /// @throws RuntimeException of the container's kind, in one line, where there is none
  Tensor tensor(String name);

  /// A matrix `[outputs = dims[1]][inputs = dims[0]]`: mapped where the container stores it so,
  /// else converted or reordered into memory of the arena.
  ///
  /// @param arena whose end frees it; one that all threads may access
  WeightMatrix weights(Tensor tensor, Arena arena, Workers workers) throws IOException;

  /// A tensor of one dimension, as floats.
  float[] vector(Tensor tensor) throws IOException;

  /// The adaptor of the linear layer of that name, if it has one.
  default Optional<Adaptor> adaptor(String name) {
    return Optional.empty();
  }

  /// Whether the input of the down projection is rotated by a Hadamard matrix (SpinQuant's R4).
  default boolean rotatesDown() {
    return false;
  }

  /// Files that hold the weights.
  List<Path> files();

  /// Adds to a new GGUF file what it needs beside tensors: shape, vocabulary, chat template. All
  /// but the keys about a file's formats (`general.file_type`, `general.quantization_version`), its
  /// alignment and its shards.
  ///
  /// @throws LlamaException where the model has parts that GGUF can't express
  /// @throws dev.quern.llama.tokenizer.TokenizerException where its vocabulary can't be used
  void writeMetadata(GgufWriter writer) throws IOException;

  @Override
  void close() throws IOException;
}

package dev.quern.llama.checkpoint;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.llama.text.Json;
import dev.quern.llama.text.JsonObject;
import dev.quern.llama.text.Printable;
import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.llama.tokenizer.TokenizerFolder;
import dev.quern.op.RopePairing;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// A model's folder as a checkpoint: `config.json` or `params.json`, a [TensorStore], and for text
/// the files of [TokenizerFolder]. Quantized matrices, adaptors and the rotation before the down
/// projection are those of Meta's quantized Llama 3.2 (see [QuantizedTensor]).
final class FolderCheckpoint implements Checkpoint {
  private static final long MAX_CONFIG_BYTES = 1 << 20;

  /// Tensors of old files that hold what is computed anyway.
  private static final String REDUNDANT =
      "rope\\.freqs|model\\.layers\\.\\d+\\.self_attn\\.rotary_emb\\.inv_freq";

  private static final String ADAPTOR_A = ".adaptor.A.weight";
  private static final String ADAPTOR_B = ".adaptor.B.weight";
  private static final String SCALES = ".scales";
  private static final String ZEROS = ".zeros";
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";

  private final ModelFolder folder;
  private final TensorStore store;
  private final TensorNames names;
  private final FolderConfig config;
  private final Map<String, Entry> entries = new LinkedHashMap<>(); // by GGUF's name

  /// What stands behind a tensor: an array as it is, or a quantized matrix.
  private record Entry(
      Tensor tensor, StoredTensor stored, Optional<QuantizedTensor> quantized, RowOrder order) {}

  private FolderCheckpoint(ModelFolder folder, TensorStore store) throws IOException {
    this.folder = folder;
    this.store = store;
    TensorNames found =
        TensorNames.byEmbedding(stem -> store.tensors().containsKey(stem + WEIGHT))
            .orElseThrow(() ->
                new LlamaException(
                    String.format(
                        Locale.ROOT,
                        "%s: %d tensors, expected model.embed_tokens.weight (Hugging Face) or tok_embeddings.weight (Meta) among them",
                        path(),
                        store.tensors().size())));
    config = readConfig(found);
    names = found.of(config.model().family());
    readEntries();
    checkRotation();
  }

  static FolderCheckpoint open(ModelFolder folder) throws IOException {
    TensorStore store = TensorStore.open(folder);
    try {
      return new FolderCheckpoint(folder, store);
    } catch (Throwable t) {
      try {
        store.close();
      } catch (IOException e) {
        t.addSuppressed(e);
      }
      throw t;
    }
  }

  @Override
  public LlamaConfig config() {
    return config.model();
  }

  @Override
  public Optional<Tokenizer> tokenizer(Optional<String> preTokenizer) throws IOException {
    TokenizerFolder.requireNone(preTokenizer);
    return TokenizerFolder.has(folder)
        ? Optional.of(TokenizerFolder.read(folder, config.endTokens(), config.model().vocabulary()))
        : Optional.empty();
  }

  @Override
  public Optional<String> chatTemplate() throws IOException {
    return TokenizerFolder.chatTemplate(folder);
  }

  @Override
  public List<Tensor> tensors() {
    return entries.values().stream().map(Entry::tensor).toList();
  }

  @Override
  public Optional<Tensor> find(String name) {
    return Optional.ofNullable(entries.get(name)).map(Entry::tensor);
  }

  @Override
  public Tensor tensor(String name) {
    return entry(name).tensor();
  }

  @Override
  public WeightMatrix weights(Tensor tensor, Arena arena, Workers workers) throws IOException {
    Entry entry = entry(tensor.name());
    if (entry.quantized().isPresent()) {
      return entry.quantized().get().read(entry.order(), arena, workers);
    }
    BlockFormat format = format(entry);
    if (tensor.dims().size() != 2) {
      throw fail(entry, entry.stored().shape().toString(), "two dimensions");
    }
    int inputs = Math.toIntExact(tensor.dims().get(0));
    int outputs = Math.toIntExact(tensor.dims().get(1));
    if (entry.order() == RowOrder.AS_STORED) {
      return new WeightMatrix(format, store.map(entry.stored(), arena), outputs, inputs);
    }
    try (Arena source = Arena.ofConfined()) {
      MemorySegment rows = store.map(entry.stored(), source);
      MemorySegment copy = entry.order().copy(rows, outputs, format.rowBytes(inputs), arena);
      return new WeightMatrix(format, copy, outputs, inputs);
    }
  }

  @Override
  public float[] vector(Tensor tensor) throws IOException {
    Entry entry = entry(tensor.name());
    format(entry);
    if (tensor.dims().size() != 1 || entry.quantized().isPresent()) {
      throw fail(entry, entry.stored().toString(), "one dimension of F32, F16 or BF16");
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = store.map(entry.stored(), arena);
      float[] values = new float[Math.toIntExact(tensor.dims().getFirst())];
      for (int i = 0; i < values.length; i++) {
        values[i] = Elements.get(data, entry.stored().type(), i);
      }
      if (tensor.name().endsWith("norm.weight")
          && config.model().family().has(Family.Trait.NORMS_ABOUT_ONE)) {
        for (int i = 0; i < values.length; i++) {
          values[i] += 1;
        }
      }
      return values;
    }
  }

  @Override
  public Optional<Adaptor> adaptor(String name) {
    String stem = name.substring(0, name.length() - WEIGHT.length());
    Entry a = entries.get(stem + ADAPTOR_A);
    Entry b = entries.get(stem + ADAPTOR_B);
    if (a == null && b == null) {
      return Optional.empty();
    }
    return Optional.of(
        new Adaptor(tensor(stem + ADAPTOR_A), tensor(stem + ADAPTOR_B), config.loraScale()));
  }

  @Override
  public boolean rotatesDown() {
    return config.spinQuant().orElse(false);
  }

  @Override
  public List<Path> files() {
    return store.files();
  }

  @Override
  public void writeMetadata(GgufWriter writer) throws IOException {
    if (rotatesDown()) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "%s: a SpinQuant model, expected one without a rotation, for which GGUF has no key: use the folder as it is",
              path()));
    }
    for (Entry entry : entries.values()) {
      if (!isOfGguf(entry)) {
        throw fail(
            entry,
            "no tensor that a Llama has in GGUF",
            "none such (adaptors and other models' biases have no place there): use the folder as it is");
      }
    }
    GgufConfig.write(config.model(), writer);
    TokenizerFolder.write(folder, config.endTokens(), config.model().vocabulary(), writer);
  }

  private boolean isOfGguf(Entry entry) {
    Family family = config.model().family();
    String name = entry.tensor().name();
    if (name.endsWith(BIAS)) {
      return family.has(Family.Trait.ATTENTION_BIAS)
          && name.matches("blk\\.\\d+\\.attn_[qkv]\\.bias");
    }
    if (name.endsWith("_norm.weight") && name.contains(".attn_")) {
      return family.has(Family.Trait.HEAD_NORMS) || name.endsWith(".attn_norm.weight");
    }
    String own = entry.stored().name();
    return own.endsWith(WEIGHT) && names.toGguf(stem(own, WEIGHT)).isPresent();
  }

  @Override
  public void close() throws IOException {
    store.close();
  }

  private String path() {
    return Printable.escaped(folder.path().toString());
  }

  private FolderConfig readConfig(TensorNames names) throws IOException {
    String name =
        folder.real().getFileName() == null ? "/" : folder.real().getFileName().toString();
    if (names == TensorNames.HUGGING_FACE || !folder.has(FolderConfig.META)) {
      return FolderConfig.huggingFace(json(FolderConfig.HUGGING_FACE), name);
    }
    return FolderConfig.meta(
        json(FolderConfig.META), name, rows(names, "blk.0.ffn_gate"), rows(names, "token_embd"));
  }

  private JsonObject json(String file) throws IOException {
    return Json.read(folder.file(file), MAX_CONFIG_BYTES, LlamaException::new);
  }

  /// Rows of a matrix, for a configuration that does not state them.
  private int rows(TensorNames names, String stem) {
    String name = names.fromGguf(stem) + WEIGHT;
    StoredTensor tensor = store.tensors().get(name);
    if (tensor == null || tensor.shape().size() != 2 || tensor.shape().getFirst() > 1 << 24) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: %s, expected a matrix of at most %d rows",
              path(),
              name,
              tensor == null ? "missing" : tensor.shape().toString(),
              1 << 24));
    }
    return Math.toIntExact(tensor.shape().getFirst());
  }

  /// Gives every array its name. Scales and zero points belong to their matrix; what has no name in
  /// GGUF keeps its own, and is refused by whoever sees that nothing reads it.
  private void readEntries() {
    for (StoredTensor stored : store.tensors().values()) {
      String name = stored.name();
      if (name.matches(REDUNDANT) || isPart(name, SCALES) || isPart(name, ZEROS)) {
        continue;
      }
      if (config.tied().orElse(false) && name.equals(names.fromGguf("output") + WEIGHT)) {
        continue; // as transformers does: the embedding matrix takes its place
      }
      Entry entry = entry(stored);
      entries.put(entry.tensor().name(), entry);
    }
    if (!config.tied().orElse(true)) {
      entry("output.weight");
    }
  }

  private boolean isPart(String name, String suffix) {
    return name.endsWith(suffix) && store.tensors().containsKey(stem(name, suffix) + WEIGHT);
  }

  private Entry entry(StoredTensor stored) {
    String name = stored.name();
    String suffix =
        List.of(ADAPTOR_A, ADAPTOR_B, WEIGHT, BIAS).stream()
            .filter(name::endsWith)
            .findFirst()
            .orElse("");
    Optional<String> stem = names.toGguf(stem(name, suffix));
    if (suffix.isEmpty() || stem.isEmpty()) {
      return entry(name, stored, Optional.empty(), RowOrder.AS_STORED);
    }
    boolean rotated = stem.get().endsWith("attn_q") || stem.get().endsWith("attn_k");
    boolean reordered =
        names != TensorNames.META && config.model().family().pairing() == RopePairing.ADJACENT;
    RowOrder order =
        reordered && rotated && !suffix.equals(ADAPTOR_A)
            ? RowOrder.halves(config.model().headDim())
            : RowOrder.AS_STORED;
    StoredTensor scales = store.tensors().get(stem(name, WEIGHT) + SCALES);
    Optional<QuantizedTensor> quantized = Optional.empty();
    if (suffix.equals(WEIGHT) && scales != null) {
      Optional<StoredTensor> zeros =
          Optional.ofNullable(store.tensors().get(stem(name, WEIGHT) + ZEROS));
      boolean perOutput = !stem.get().startsWith("blk.");
      quantized = Optional.of(new QuantizedTensor(store, stored, scales, zeros, perOutput));
    }
    return entry(stem.get() + suffix, stored, quantized, order);
  }

  private static Entry entry(
      String name, StoredTensor stored, Optional<QuantizedTensor> quantized, RowOrder order) {
    List<Long> shape = stored.shape();
    Optional<BlockFormat> format =
        quantized.map(q -> Optional.of(q.format())).orElseGet(() -> stored.type().format());
    Tensor tensor =
        new Tensor(
            name,
            stored.name(),
            stored.type().toString(),
            format,
            List.copyOf(shape.reversed()),
            quantized.map(QuantizedTensor::byteSize).orElse(stored.byteSize()));
    return new Entry(tensor, stored, quantized, order);
  }

  /// Without the rotation a SpinQuant model speaks nonsense, and with it every other one: a file of
  /// quantized weights that does not say which it is can't be run.
  private void checkRotation() {
    boolean int4 =
        entries.values().stream()
            .anyMatch(e -> e.quantized().isPresent() && !e.quantized().get().perOutput());
    boolean adaptors = entries.keySet().stream().anyMatch(n -> n.endsWith(ADAPTOR_A));
    if (int4 && !adaptors && config.spinQuant().isEmpty()) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "%s: quantized weights, and no quantization_args.spinquant in %s, expected true (SpinQuant) or false: add what the model was made with",
              path(),
              FolderConfig.META));
    }
  }

  private Entry entry(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      String suffix = name.endsWith(BIAS) ? BIAS : name.endsWith(WEIGHT) ? WEIGHT : "";
      String own = names.fromGguf(stem(name, suffix)) + suffix;
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s: missing among the model's %d tensors, expected it: the folder is not a complete %s model",
              path(),
              Printable.quoted(own),
              entries.size(),
              config.model().family().name()));
    }
    return entry;
  }

  private static String stem(String name, String suffix) {
    return name.substring(0, name.length() - suffix.length());
  }

  private BlockFormat format(Entry entry) {
    return entry
        .tensor()
        .format()
        .orElseThrow(() -> fail(entry, entry.stored().type().toString(), "F32, F16 or BF16"));
  }

  private LlamaException fail(Entry entry, String actual, String expected) {
    return new LlamaException(
        String.format(
            Locale.ROOT,
            "%s: tensor %s: %s, expected %s",
            store.fileName(entry.stored()),
            Printable.quoted(entry.stored().name()),
            actual,
            expected));
  }
}

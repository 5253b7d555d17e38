package dev.quern.llama;

import dev.quern.Kernels;
import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.gguf.GgufFile;
import dev.quern.llama.gguf.GgufTensor;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Turns a GGUF file's tensors (names as in llama.cpp's `llama` architecture) into kernels. Each
/// tensor is mapped in an arena of its own, which is closed as soon as no kernel reads it, so
/// weights that a provider packs are resident once.
final class WeightLoader {
  /// Tensors of old files that hold what is computed anyway.
  private static final String REDUNDANT = "blk\\.\\d+\\.attn_rot_embd|rope_freqs";

  private final GgufFile file;
  private final Kernels kernels;
  private final Workers workers;
  private final Arena packed;
  private final List<Arena> mappings;
  private final LoadProgress progress;
  private final Set<String> used = new HashSet<>();
  private final long totalBytes;
  private long packedBytes;

  /// @param packed owns packed weights and norms
  /// @param mappings collects the arenas of tensors that kernels go on reading
  WeightLoader(
      GgufFile file,
      Kernels kernels,
      Workers workers,
      Arena packed,
      List<Arena> mappings,
      LoadProgress progress) {
    this.file = file;
    this.kernels = kernels;
    this.workers = workers;
    this.packed = packed;
    this.mappings = mappings;
    this.progress = progress;
    totalBytes = file.tensors().stream().mapToLong(GgufTensor::byteSize).filter(b -> b > 0).sum();
  }

  /// Maps and packs everything.
  LlamaWeights load(LlamaConfig config) throws IOException {
    LlamaWeights.Embedding embedding = embedding(config);
    List<LlamaWeights.Layer> layers = new ArrayList<>();
    for (int l = 0; l < config.layers(); l++) {
      layers.add(
          new LlamaWeights.Layer(
              vector("blk.%d.attn_norm.weight".formatted(l), config.width()),
              projection(qkv(config, l)),
              projection(attentionOutput(config, l)),
              vector("blk.%d.ffn_norm.weight".formatted(l), config.width()),
              projection(gateUp(config, l)),
              projection(down(config, l))));
    }
    F32Matrix outputNorm = vector("output_norm.weight", config.width());
    Projection output = projection(output(config));
    float[] ropeFactors = ropeFactors(config);
    checkAllUsed();
    return new LlamaWeights(embedding, layers, outputNorm, output, ropeFactors);
  }

  /// Asks for every kernel that [#load] would, and packs nothing.
  void choose(LlamaConfig config) {
    for (int l = 0; l < config.layers(); l++) {
      for (Stack stack :
          List.of(qkv(config, l), attentionOutput(config, l), gateUp(config, l), down(config, l))) {
        runs(stack).forEach(run -> kernels.linear(run.spec()));
      }
    }
    runs(output(config)).forEach(run -> kernels.linear(run.spec()));
  }

  /// A matrix by its tensor's name and its rows.
  private record Source(String tensor, int outputs) {}

  /// Matrices that read the same input, their outputs side by side.
  private record Stack(int inputs, boolean accumulate, List<Source> sources) {}

  /// Neighbours of a stack that have the same format, so that one kernel serves them.
  private record Run(LinearSpec spec, List<Source> sources) {}

  private static Stack qkv(LlamaConfig config, int l) {
    return new Stack(
        config.width(),
        false,
        List.of(
            new Source("blk.%d.attn_q.weight".formatted(l), config.queryWidth()),
            new Source("blk.%d.attn_k.weight".formatted(l), config.kvWidth()),
            new Source("blk.%d.attn_v.weight".formatted(l), config.kvWidth())));
  }

  private static Stack attentionOutput(LlamaConfig config, int l) {
    Source source = new Source("blk.%d.attn_output.weight".formatted(l), config.width());
    return new Stack(config.queryWidth(), true, List.of(source));
  }

  private static Stack gateUp(LlamaConfig config, int l) {
    return new Stack(
        config.width(),
        false,
        List.of(
            new Source("blk.%d.ffn_gate.weight".formatted(l), config.hidden()),
            new Source("blk.%d.ffn_up.weight".formatted(l), config.hidden())));
  }

  private static Stack down(LlamaConfig config, int l) {
    Source source = new Source("blk.%d.ffn_down.weight".formatted(l), config.width());
    return new Stack(config.hidden(), true, List.of(source));
  }

  /// The output matrix, or where embeddings are tied the embedding matrix.
  private Stack output(LlamaConfig config) {
    boolean tied = file.findTensor("output.weight").isEmpty();
    String tensor = tied ? "token_embd.weight" : "output.weight";
    return new Stack(config.width(), false, List.of(new Source(tensor, config.vocabulary())));
  }

  private LlamaWeights.Embedding embedding(LlamaConfig config) throws IOException {
    GgufTensor tensor = tensor("token_embd.weight", config.width(), config.vocabulary());
    WeightMatrix matrix = file.weights(tensor, keptMapping());
    BlockCodec codec = codec(matrix.format());
    return (token, x, row) -> codec.decodeRow(matrix, token, x.data(), x.offsetBytes(row, 0));
  }

  private static BlockCodec codec(BlockFormat format) {
    return BlockCodec.of(format)
        .orElseThrow(() -> new LlamaException("no decoder for the format " + format));
  }

  private List<Run> runs(Stack stack) {
    List<Source> sources = stack.sources();
    List<Run> runs = new ArrayList<>();
    for (int from = 0; from < sources.size(); ) {
      BlockFormat format = format(sources.get(from));
      int to = from + 1;
      while (to < sources.size() && format(sources.get(to)).equals(format)) {
        to++;
      }
      List<Source> run = sources.subList(from, to);
      int outputs = run.stream().mapToInt(Source::outputs).sum();
      LinearSpec spec =
          new LinearSpec(
              format, outputs, stack.inputs(), stack.accumulate(), Set.copyOf(Numerics.standard()));
      runs.add(new Run(spec, run));
      from = to;
    }
    return runs;
  }

  private Projection projection(Stack stack) throws IOException {
    List<Projection.Part> parts = new ArrayList<>();
    int column = 0;
    for (Run run : runs(stack)) {
      parts.add(new Projection.Part(pack(run), column, run.spec().outputs()));
      column += run.spec().outputs();
    }
    return new Projection(parts, column);
  }

  private LinearKernel pack(Run run) throws IOException {
    Arena mapping = Arena.ofShared();
    boolean keep = false;
    try {
      List<WeightMatrix> stacked = new ArrayList<>();
      for (Source s : run.sources()) {
        stacked.add(file.weights(tensor(s.tensor(), run.spec().inputs(), s.outputs()), mapping));
      }
      LinearKernel kernel = kernels.linear(run.spec()).pack(stacked, packed, workers);
      keep = kernel.retainsSource();
      packedBytes += stacked.stream().mapToLong(m -> m.data().byteSize()).sum();
      progress.packed(Math.min(packedBytes, totalBytes), totalBytes);
      return kernel;
    } finally {
      if (keep) {
        mappings.add(mapping);
      } else {
        mapping.close();
      }
    }
  }

  private BlockFormat format(Source source) {
    GgufTensor tensor = file.tensor(source.tensor());
    return tensor
        .format()
        .orElseThrow(() ->
            new LlamaException(
                "model: tensor %s has the type %s, expected one of %s: use the model in another quantisation"
                    .formatted(tensor.name(), tensor.type(), BlockFormat.standard())));
  }

  private Arena keptMapping() {
    Arena arena = Arena.ofShared();
    mappings.add(arena);
    return arena;
  }

  /// A 1-D tensor as F32.
  private F32Matrix vector(String name, int length) throws IOException {
    float[] values = file.vector(tensor(name, length));
    F32Matrix vector = F32Matrix.allocate(packed, 1, length);
    MemorySegment.copy(
        MemorySegment.ofArray(values), 0, vector.data(), 0, (long) length * Float.BYTES);
    return vector;
  }

  private float[] ropeFactors(LlamaConfig config) throws IOException {
    Optional<GgufTensor> tensor = file.findTensor("rope_freqs.weight");
    if (tensor.isEmpty()) {
      return new float[0];
    }
    float[] factors = file.vector(tensor("rope_freqs.weight", config.ropeDim() / 2));
    for (float f : factors) {
      if (!(f > 0) || Float.isInfinite(f)) {
        throw new LlamaException(
            "model: rope_freqs.weight holds %s, expected positive finite numbers".formatted(f));
      }
    }
    return factors;
  }

  private GgufTensor tensor(String name, long... dims) {
    GgufTensor tensor = file.tensor(name);
    if (!Arrays.equals(tensor.dims(), dims)) {
      throw new LlamaException(
          "model: tensor %s is %s, expected %s (row length first)"
              .formatted(name, Arrays.toString(tensor.dims()), Arrays.toString(dims)));
    }
    used.add(name);
    return tensor;
  }

  /// A tensor that nothing reads (a bias, say) would change the result: refused, not ignored.
  private void checkAllUsed() {
    List<String> unused =
        file.tensors().stream()
            .filter(t -> !file.isScales(t)) // part of the weights before them
            .map(GgufTensor::name)
            .filter(n -> !used.contains(n) && !n.matches("(" + REDUNDANT + ")\\.weight"))
            .sorted()
            .toList();
    if (!unused.isEmpty()) {
      throw new LlamaException(
          "model: %d tensors are not part of a Llama model as Quern runs it: %s%s"
              .formatted(
                  unused.size(),
                  String.join(", ", unused.subList(0, Math.min(3, unused.size()))),
                  unused.size() > 3 ? ", ..." : ""));
    }
  }
}

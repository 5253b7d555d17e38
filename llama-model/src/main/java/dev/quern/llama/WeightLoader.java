package dev.quern.llama;

import dev.quern.Kernels;
import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.text.Printable;
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
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Turns a checkpoint's tensors (names as in llama.cpp's `llama` architecture) into kernels. Each
/// tensor is mapped in an arena of its own, which is closed as soon as no kernel reads it, so
/// weights that a provider packs are resident once.
final class WeightLoader {
  /// Tensors of old files that hold what is computed anyway.
  private static final String REDUNDANT = "blk\\.\\d+\\.attn_rot_embd|rope_freqs";

  /// Above any adaptor, and far below where it would not be one.
  private static final int MAX_RANK = 4096;

  private final Checkpoint file;
  private final Kernels kernels;
  private final Workers workers;
  private final Arena packed;
  private final List<Arena> mappings;
  private final LoadProgress progress;
  private final Set<String> used = new HashSet<>();
  private final long totalBytes;
  private long packedBytes;

  /// @param resources gets packed weights and norms, and the tensors that kernels go on reading
  WeightLoader(Checkpoint file, Kernels kernels, ModelResources resources, LoadProgress progress) {
    this.file = file;
    this.kernels = kernels;
    this.workers = resources.workers();
    this.packed = resources.packed();
    this.mappings = resources.mappings();
    this.progress = progress;
    totalBytes = bytes(file);
  }

  /// Bytes of all weights.
  static long bytes(Checkpoint file) {
    return file.tensors().stream().mapToLong(Checkpoint.Tensor::byteSize).filter(b -> b > 0).sum();
  }

  /// Maps and packs everything.
  ///
  /// @param warmUp gets kernels as soon as there are some of each kind
  LlamaWeights load(LlamaConfig config, WarmUp warmUp) throws IOException {
    LlamaWeights.Embedding embedding = embedding(config);
    Projection output = projection(output(config));
    warmUp.output(output);
    List<LlamaWeights.Layer> layers = new ArrayList<>();
    for (int l = 0; l < config.layers(); l++) {
      layers.add(
          new LlamaWeights.Layer(
              vector(String.format(Locale.ROOT, "blk.%d.attn_norm.weight", l), config.width()),
              projection(qkv(config, l)),
              projection(attentionOutput(config, l)),
              vector(String.format(Locale.ROOT, "blk.%d.ffn_norm.weight", l), config.width()),
              projection(gateUp(config, l)),
              projection(down(config, l))));
      if (l == 0) {
        warmUp.layer(layers.getFirst());
      }
    }
    F32Matrix outputNorm = vector("output_norm.weight", config.width());
    float[] ropeFactors = ropeFactors(config);
    checkAllUsed();
    return new LlamaWeights(embedding, layers, outputNorm, output, ropeFactors);
  }

  /// Asks for every kernel that [#load] would, and packs nothing.
  void choose(LlamaConfig config) {
    choose(output(config));
    for (int l = 0; l < config.layers(); l++) {
      for (Stack stack :
          List.of(qkv(config, l), attentionOutput(config, l), gateUp(config, l), down(config, l))) {
        choose(stack);
      }
    }
  }

  private void choose(Stack stack) {
    runs(stack).forEach(run -> kernels.linear(run.spec()));
    for (Source source : stack.sources()) {
      file.adaptor(source.tensor())
          .ifPresent(adaptor ->
              adaptorRuns(adaptor, source, stack.inputs())
                  .forEach(run -> kernels.linear(run.spec())));
    }
  }

  /// A matrix by its tensor's name and its rows.
  private record Source(String tensor, int outputs) {}

  /// Matrices that read the same input, their outputs side by side. `rotated`: the input is turned
  /// by a Hadamard matrix first.
  private record Stack(int inputs, boolean accumulate, List<Source> sources, boolean rotated) {}

  /// Neighbours of a stack that have the same format, so that one kernel serves them.
  private record Run(LinearSpec spec, List<Source> sources) {}

  private static Stack qkv(LlamaConfig config, int l) {
    return new Stack(
        config.width(),
        false,
        List.of(
            new Source(String.format(Locale.ROOT, "blk.%d.attn_q.weight", l), config.queryWidth()),
            new Source(String.format(Locale.ROOT, "blk.%d.attn_k.weight", l), config.kvWidth()),
            new Source(String.format(Locale.ROOT, "blk.%d.attn_v.weight", l), config.kvWidth())),
        false);
  }

  private static Stack attentionOutput(LlamaConfig config, int l) {
    Source source =
        new Source(String.format(Locale.ROOT, "blk.%d.attn_output.weight", l), config.width());
    return new Stack(config.queryWidth(), true, List.of(source), false);
  }

  private static Stack gateUp(LlamaConfig config, int l) {
    return new Stack(
        config.width(),
        false,
        List.of(
            new Source(String.format(Locale.ROOT, "blk.%d.ffn_gate.weight", l), config.hidden()),
            new Source(String.format(Locale.ROOT, "blk.%d.ffn_up.weight", l), config.hidden())),
        false);
  }

  private Stack down(LlamaConfig config, int l) {
    Source source =
        new Source(String.format(Locale.ROOT, "blk.%d.ffn_down.weight", l), config.width());
    return new Stack(config.hidden(), true, List.of(source), file.rotatesDown());
  }

  /// The output matrix, or where embeddings are tied the embedding matrix.
  private Stack output(LlamaConfig config) {
    boolean tied = file.find("output.weight").isEmpty();
    String tensor = tied ? "token_embd.weight" : "output.weight";
    Source source = new Source(tensor, config.vocabulary());
    return new Stack(config.width(), false, List.of(source), false);
  }

  private LlamaWeights.Embedding embedding(LlamaConfig config) throws IOException {
    Checkpoint.Tensor tensor = tensor("token_embd.weight", config.width(), config.vocabulary());
    WeightMatrix matrix = file.weights(tensor, keptMapping(), workers);
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
    return new Projection(parts, column, rotation(stack), adaptors(stack));
  }

  private Optional<Hadamard> rotation(Stack stack) {
    return stack.rotated() ? Optional.of(new Hadamard(stack.inputs())) : Optional.empty();
  }

  private List<LowRank> adaptors(Stack stack) throws IOException {
    List<LowRank> adaptors = new ArrayList<>();
    int column = 0;
    for (Source source : stack.sources()) {
      Optional<Checkpoint.Adaptor> adaptor = file.adaptor(source.tensor());
      if (adaptor.isPresent()) {
        List<Run> runs = adaptorRuns(adaptor.get(), source, stack.inputs());
        int rank = runs.get(0).spec().outputs();
        adaptors.add(
            new LowRank(
                pack(runs.get(0)),
                pack(runs.get(1)),
                rank,
                adaptor.get().scale(),
                column,
                source.outputs()));
      }
      column += source.outputs();
    }
    return adaptors;
  }

  /// An adaptor's A and B.
  private List<Run> adaptorRuns(Checkpoint.Adaptor adaptor, Source of, int inputs) {
    List<Long> dims = adaptor.a().dims();
    long rank = dims.size() == 2 ? dims.get(1) : 0;
    if (rank < 1 || rank > MAX_RANK) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: tensor %s is %s, expected [%d, rank] with a rank of 1 to %d (row length first)",
              adaptor.a().label(),
              dims,
              inputs,
              MAX_RANK));
    }
    Stack a = new Stack(inputs, false, List.of(new Source(adaptor.a().name(), (int) rank)), false);
    Stack b =
        new Stack((int) rank, true, List.of(new Source(adaptor.b().name(), of.outputs())), false);
    return List.of(runs(a).getFirst(), runs(b).getFirst());
  }

  private LinearKernel pack(Run run) throws IOException {
    Arena mapping = Arena.ofShared();
    boolean keep = false;
    try {
      List<WeightMatrix> stacked = new ArrayList<>();
      for (Source s : run.sources()) {
        Checkpoint.Tensor tensor = tensor(s.tensor(), run.spec().inputs(), s.outputs());
        stacked.add(file.weights(tensor, mapping, workers));
      }
      LinearKernel kernel = kernels.linear(run.spec()).pack(stacked, packed, workers);
      keep = kernel.retainsSource();
      packedBytes +=
          stacked.stream().mapToLong(m -> m.data().byteSize() + m.scales().byteSize()).sum();
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
    Checkpoint.Tensor tensor = file.tensor(source.tensor());
    return tensor
        .format()
        .orElseThrow(() ->
            new LlamaException(
                String.format(
                    Locale.ROOT,
                    "model: tensor %s has the type %s, expected one of %s: use the model in another quantisation",
                    tensor.label(),
                    tensor.type(),
                    BlockFormat.standard())));
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
    float[] factors = file.ropeFactors();
    if (factors.length != 0 && factors.length != config.ropeDim() / 2) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %d RoPE factors, expected %d",
              factors.length,
              config.ropeDim() / 2));
    }
    for (float f : factors) {
      if (!(f > 0) || Float.isInfinite(f)) {
        throw new LlamaException(
            String.format(
                Locale.ROOT,
                "model: rope_freqs.weight holds %s, expected positive finite numbers",
                f));
      }
    }
    return factors;
  }

  private Checkpoint.Tensor tensor(String name, long... dims) {
    Checkpoint.Tensor tensor = file.tensor(name);
    List<Long> expected = Arrays.stream(dims).boxed().toList();
    if (!tensor.dims().equals(expected)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: tensor %s is %s, expected %s (row length first)",
              tensor.label(),
              tensor.dims(),
              expected));
    }
    used.add(name);
    return tensor;
  }

  /// A tensor that nothing reads (a bias, say) would change the result: refused, not ignored.
  private void checkAllUsed() {
    List<String> unused =
        file.tensors().stream()
            .filter(
                t -> !used.contains(t.name()) && !t.name().matches("(" + REDUNDANT + ")\\.weight"))
            .map(t -> Printable.escaped(t.label()))
            .sorted()
            .toList();
    if (!unused.isEmpty()) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %d tensors are not part of a Llama model as Quern runs it: %s%s",
              unused.size(),
              String.join(", ", unused.subList(0, Math.min(3, unused.size()))),
              unused.size() > 3 ? ", ..." : ""));
    }
  }
}

package dev.quern.llama.load;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.Kernels;
import dev.quern.ProviderException;
import dev.quern.data.BlockCodec;
import dev.quern.data.BlockFormat;
import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.Family;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.forward.BlockOutput;
import dev.quern.llama.forward.Elementwise;
import dev.quern.llama.forward.Hadamard;
import dev.quern.llama.forward.HeadNorms;
import dev.quern.llama.forward.LlamaWeights;
import dev.quern.llama.forward.LowRank;
import dev.quern.llama.forward.Projection;
import dev.quern.llama.text.Printable;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Turns a checkpoint's tensors (names as in llama.cpp's architectures) into kernels. Each tensor
/// is mapped in an arena of its own, which is closed as soon as no kernel reads it, so weights that
/// a provider packs are resident once.
public final class WeightLoader {
  /// Tensors of old files that hold what is computed anyway.
  private static final String REDUNDANT = "blk\\.\\d+\\.attn_rot_embd";

  private final Checkpoint file;
  private final Kernels kernels;
  private final Workers workers;
  private final LoadMemory memory;
  private final WeightPlan plan;
  private final List<Arena> mappings;
  private final Progress progress;
  private final Set<String> used = new HashSet<>();
  private final long totalBytes;
  private long packedBytes;
  private long mappedBytes; // of the file's that are read as long as the model lives

  /// Hears how far loading is, after each tensor.
  @FunctionalInterface
  public interface Progress {
    /// @param packedBytes bytes of weights packed so far
    /// @param totalBytes bytes of all weights
    void packed(long packedBytes, long totalBytes);
  }

  /// @param mappings gets the tensors that kernels go on reading
  /// @param memory gets packed weights and norms
  public WeightLoader(
      Checkpoint file,
      Kernels kernels,
      Workers workers,
      List<Arena> mappings,
      LoadMemory memory,
      Progress progress) {
    this.file = file;
    this.kernels = kernels;
    this.workers = workers;
    this.mappings = mappings;
    this.memory = memory;
    this.progress = progress;
    plan = new WeightPlan(file);
    totalBytes = bytes(file);
  }

  /// Bytes of all weights.
  public static long bytes(Checkpoint file) {
    return file.tensors().stream().mapToLong(Checkpoint.Tensor::byteSize).filter(b -> b > 0).sum();
  }

  private static long bytes(WeightMatrix matrix) {
    return matrix.data().byteSize() + matrix.scales().byteSize();
  }

  /// Bytes of weights that are in memory as long as the model: packed ones, and those that are
  /// mapped.
  public long heldBytes() {
    return memory.taken() + mappedBytes;
  }

  /// Maps and packs everything.
  ///
  /// @param warmUp gets kernels as soon as there are some of each kind
  public LlamaWeights load(LlamaConfig config, WarmUp warmUp) throws IOException {
    LlamaWeights.Embedding embedding = embedding(config);
    Projection output = projection(plan.output());
    warmUp.output(output);
    List<LlamaWeights.Layer> layers = new ArrayList<>();
    for (int l = 0; l < config.layers(); l++) {
      layers.add(
          new LlamaWeights.Layer(
              vector(String.format(Locale.ROOT, "blk.%d.attn_norm.weight", l), config.width()),
              projection(plan.qkv(l)),
              headNorms(config, l),
              blockOutput(config, plan.attentionOutput(l), "blk.%d.post_attention_norm.weight", l),
              vector(String.format(Locale.ROOT, "blk.%d.ffn_norm.weight", l), config.width()),
              projection(plan.gateUp(l)),
              blockOutput(config, plan.down(l), "blk.%d.post_ffw_norm.weight", l)));
      if (l == 0) {
        memory.requireFits(unpacked());
        warmUp.layer(layers.getFirst());
      }
    }
    F32Matrix outputNorm = vector("output_norm.weight", config.width());
    used.addAll(config.rope().scaling().tensors().keySet());
    checkAllUsed();
    return new LlamaWeights(embedding, layers, outputNorm, output);
  }

  private BlockOutput blockOutput(LlamaConfig config, WeightPlan.Stack stack, String norm, int l)
      throws IOException {
    return new BlockOutput(
        projection(stack),
        config.family().has(Family.Trait.POST_NORMS)
            ? Optional.of(vector(String.format(Locale.ROOT, norm, l), config.width()))
            : Optional.empty(),
        config.multipliers().residual());
  }

  private Optional<HeadNorms<F32Matrix>> headNorms(LlamaConfig config, int l) throws IOException {
    if (!config.family().has(Family.Trait.HEAD_NORMS)) {
      return Optional.empty();
    }
    return Optional.of(
        new HeadNorms<>(
            vector(String.format(Locale.ROOT, "blk.%d.attn_q_norm.weight", l), config.headDim()),
            vector(String.format(Locale.ROOT, "blk.%d.attn_k_norm.weight", l), config.headDim())));
  }

  /// Bytes of the matrices of each format that nothing has read yet.
  private Map<BlockFormat, Long> unpacked() {
    return file.tensors().stream()
        .filter(t -> t.isMatrix() && t.format().isPresent() && !used.contains(t.name()))
        .collect(
            Collectors.groupingBy(
                t -> t.format().get(), Collectors.summingLong(Checkpoint.Tensor::byteSize)));
  }

  private LlamaWeights.Embedding embedding(LlamaConfig config) throws IOException {
    Checkpoint.Tensor tensor = tensor("token_embd.weight", config.width(), config.vocabulary());
    WeightMatrix matrix = file.weights(tensor, keptMapping(), workers);
    mappedBytes += bytes(matrix);
    BlockCodec codec = codec(matrix.format());
    float factor = config.multipliers().embedding();
    return (token, x, row) -> {
      codec.decodeRow(matrix, token, x.data(), x.offsetBytes(row, 0));
      if (factor != 1) {
        Elementwise.scale(x, row, factor);
      }
    };
  }

  private static BlockCodec codec(BlockFormat format) {
    return BlockCodec.of(format)
        .orElseThrow(() -> new LlamaException("no decoder for the format " + format));
  }

  private Projection projection(WeightPlan.Stack stack) throws IOException {
    List<Projection.Part> parts = new ArrayList<>();
    int column = 0;
    for (WeightPlan.Run run : plan.runs(stack)) {
      parts.add(new Projection.Part(pack(run), column, run.spec().outputs()));
      column += run.spec().outputs();
    }
    return new Projection(parts, column, rotation(stack), adaptors(stack));
  }

  private Optional<Hadamard> rotation(WeightPlan.Stack stack) {
    return stack.rotated() ? Optional.of(new Hadamard(stack.inputs())) : Optional.empty();
  }

  private List<LowRank> adaptors(WeightPlan.Stack stack) throws IOException {
    List<LowRank> adaptors = new ArrayList<>();
    int column = 0;
    for (WeightPlan.Source source : stack.sources()) {
      Optional<Checkpoint.Adaptor> adaptor = file.adaptor(source.tensor());
      if (adaptor.isPresent()) {
        List<WeightPlan.Run> runs = plan.runs(adaptor.get(), source, stack.inputs());
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

  private LinearKernel pack(WeightPlan.Run run) throws IOException {
    Arena mapping = Arena.ofShared();
    boolean keep = false;
    try {
      List<WeightMatrix> stacked = new ArrayList<>();
      for (WeightPlan.Source s : run.sources()) {
        Checkpoint.Tensor tensor = tensor(s.tensor(), run.spec().inputs(), s.outputs());
        stacked.add(weights(s, tensor, mapping));
      }
      Optional<MemorySegment> bias =
          run.spec().bias() ? Optional.of(bias(run, mapping)) : Optional.empty();
      long before = memory.taken();
      LinearKernel kernel = pack(run, stacked, bias);
      keep = kernel.retainsSource();
      long bytes = stacked.stream().mapToLong(WeightLoader::bytes).sum();
      mappedBytes += keep ? bytes : 0;
      memory.packed(run.spec().weights(), bytes, memory.taken() - before);
      packedBytes += bytes;
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

  /// The matrix in the order of rows that its kernel takes.
  private WeightMatrix weights(WeightPlan.Source source, Checkpoint.Tensor tensor, Arena arena)
      throws IOException {
    Optional<PartialRotation> order = plan.order(source);
    if (order.isEmpty()) {
      return file.weights(tensor, arena, workers);
    }
    try (Arena stored = Arena.ofShared()) {
      return order.get().copy(file.weights(tensor, stored, workers), arena);
    }
  }

  /// The biases of a run's matrices, one behind the other.
  private MemorySegment bias(WeightPlan.Run run, Arena arena) throws IOException {
    MemorySegment bias = arena.allocate(JAVA_FLOAT, run.spec().outputs());
    long at = 0;
    for (WeightPlan.Source s : run.sources()) {
      float[] values = file.vector(tensor(s.bias(), s.outputs()));
      MemorySegment.copy(values, 0, bias, JAVA_FLOAT, at, values.length);
      at += (long) values.length * Float.BYTES;
    }
    return bias;
  }

  /// @throws LlamaException what a provider's code threw, with the tensor that it threw it for: it
  ///   may be the only one
  private LinearKernel pack(
      WeightPlan.Run run, List<WeightMatrix> stacked, Optional<MemorySegment> bias) {
    LinearPacker packer = kernels.linear(run.spec());
    try {
      return bias.isPresent()
          ? packer.pack(stacked, bias.get(), memory, workers)
          : packer.pack(stacked, memory, workers);
    } catch (ProviderException e) {
      String tensors =
          run.sources().stream()
              .map(s -> Printable.escaped(file.tensor(s.tensor()).label()))
              .collect(Collectors.joining(", "));
      throw new LlamaException(
          String.format(Locale.ROOT, "model: packing %s: %s", tensors, e.getMessage()), e);
    }
  }

  private Arena keptMapping() {
    Arena arena = Arena.ofShared();
    mappings.add(arena);
    return arena;
  }

  /// A 1-D tensor as F32.
  private F32Matrix vector(String name, int length) throws IOException {
    float[] values = file.vector(tensor(name, length));
    F32Matrix vector = F32Matrix.allocate(memory, 1, length);
    MemorySegment.copy(
        MemorySegment.ofArray(values), 0, vector.data(), 0, (long) length * Float.BYTES);
    return vector;
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

  /// A tensor that nothing reads (a bias of a Llama, say) would change the result: refused, not
  /// ignored.
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
              "model: %d tensors are not part of a %s model as Quern runs it: %s%s",
              unused.size(),
              file.config().family().name(),
              String.join(", ", unused.subList(0, Math.min(3, unused.size()))),
              unused.size() > 3 ? ", ..." : ""));
    }
  }
}

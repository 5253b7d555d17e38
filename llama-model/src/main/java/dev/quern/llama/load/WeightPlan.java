package dev.quern.llama.load;

import dev.quern.Kernels;
import dev.quern.data.BlockFormat;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.checkpoint.Family;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.error.LlamaException;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Which of a checkpoint's matrices go into which kernel: neighbours that read the same input and
/// have the same format share one.
public final class WeightPlan {
  /// Above any adaptor, and far below where it would not be one.
  private static final int MAX_RANK = 4096;

  private static final String WEIGHT = ".weight";
  private static final String FUSED_QKV = "attn_qkv.weight";

  private final Checkpoint file;
  private final LlamaConfig config;

  public WeightPlan(Checkpoint file) {
    this.file = file;
    this.config = file.config();
  }

  /// A matrix by its tensor's name and its rows.
  public record Source(String tensor, int outputs) {
    /// The tensor of its bias, where the family has one.
    String bias() {
      return tensor.substring(0, tensor.length() - WEIGHT.length()) + ".bias";
    }
  }

  /// Matrices that read the same input, their outputs side by side. `rotated`: the input is turned
  /// by a Hadamard matrix first. `bias`: each has one.
  record Stack(
      int inputs, boolean accumulate, List<Source> sources, boolean rotated, boolean bias) {

    Stack(int inputs, boolean accumulate, List<Source> sources) {
      this(inputs, accumulate, sources, false, false);
    }
  }

  /// Neighbours of a stack that have the same format, so that one kernel serves them.
  public record Run(LinearSpec spec, List<Source> sources) {
    /// Outputs of each.
    public List<Integer> stacked() {
      return sources.stream().map(Source::outputs).toList();
    }
  }

  Stack qkv(int l) {
    if (config.family().has(Family.Trait.FUSED)) {
      String tensor = String.format(Locale.ROOT, "blk.%d.%s", l, FUSED_QKV);
      Source source = new Source(tensor, config.queryWidth() + 2 * config.kvWidth());
      return new Stack(config.width(), false, List.of(source));
    }
    return new Stack(
        config.width(),
        false,
        List.of(
            new Source(String.format(Locale.ROOT, "blk.%d.attn_q.weight", l), config.queryWidth()),
            new Source(String.format(Locale.ROOT, "blk.%d.attn_k.weight", l), config.kvWidth()),
            new Source(String.format(Locale.ROOT, "blk.%d.attn_v.weight", l), config.kvWidth())),
        false,
        config.family().has(Family.Trait.ATTENTION_BIAS));
  }

  Stack attentionOutput(int l) {
    Source source =
        new Source(String.format(Locale.ROOT, "blk.%d.attn_output.weight", l), config.width());
    return new Stack(config.queryWidth(), accumulates(), List.of(source));
  }

  Stack gateUp(int l) {
    if (config.family().has(Family.Trait.FUSED)) {
      String tensor = String.format(Locale.ROOT, "blk.%d.ffn_up.weight", l);
      return new Stack(config.width(), false, List.of(new Source(tensor, 2 * config.hidden())));
    }
    return new Stack(
        config.width(),
        false,
        List.of(
            new Source(String.format(Locale.ROOT, "blk.%d.ffn_gate.weight", l), config.hidden()),
            new Source(String.format(Locale.ROOT, "blk.%d.ffn_up.weight", l), config.hidden())));
  }

  Stack down(int l) {
    Source source =
        new Source(String.format(Locale.ROOT, "blk.%d.ffn_down.weight", l), config.width());
    return new Stack(config.hidden(), accumulates(), List.of(source), file.rotatesDown(), false);
  }

  /// Whether what a block ends with is added to the residual stream as it is.
  private boolean accumulates() {
    return !config.family().has(Family.Trait.POST_NORMS) && config.multipliers().residual() == 1;
  }

  /// The output matrix, or where embeddings are tied the embedding matrix.
  Stack output() {
    boolean tied = file.find("output.weight").isEmpty();
    String tensor = tied ? "token_embd.weight" : "output.weight";
    Source source = new Source(tensor, config.vocabulary());
    return new Stack(config.width(), false, List.of(source));
  }

  /// The order of a matrix's rows, where it is not that of the tensor.
  Optional<PartialRotation> order(Source source) {
    boolean fused = source.tensor().endsWith(FUSED_QKV);
    boolean rotated = fused || source.tensor().matches("blk\\.\\d+\\.attn_[qk]\\.weight");
    if (!rotated || !config.rotatesPartInHalves()) {
      return Optional.empty();
    }
    int rows = fused ? config.queryWidth() + config.kvWidth() : source.outputs();
    return Optional.of(new PartialRotation(config.headDim(), config.rope().dim(), rows));
  }

  /// The kernels that a stack needs.
  List<Run> runs(Stack stack) {
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
          LinearSpec.of(format, outputs, stack.inputs())
              .withAccumulate(stack.accumulate())
              .withBias(stack.bias())
              .withTolerated(Set.copyOf(Numerics.standard()));
      runs.add(new Run(spec, run));
      from = to;
    }
    return runs;
  }

  /// The kernels of an adaptor's A and B.
  List<Run> runs(Checkpoint.Adaptor adaptor, Source of, int inputs) {
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
    Stack a = new Stack(inputs, false, List.of(new Source(adaptor.a().name(), (int) rank)));
    Stack b = new Stack((int) rank, true, List.of(new Source(adaptor.b().name(), of.outputs())));
    return List.of(runs(a).getFirst(), runs(b).getFirst());
  }

  /// Asks for every kernel that a load would, and packs nothing.
  public void choose(Kernels kernels) {
    runs().forEach(run -> kernels.linear(run.spec()));
  }

  /// The kernels of the whole model, once for each use.
  public List<Run> runs() {
    List<Stack> stacks = new ArrayList<>(List.of(output()));
    for (int l = 0; l < config.layers(); l++) {
      stacks.addAll(List.of(qkv(l), attentionOutput(l), gateUp(l), down(l)));
    }
    List<Run> runs = new ArrayList<>();
    for (Stack stack : stacks) {
      runs.addAll(runs(stack));
      for (Source source : stack.sources()) {
        file.adaptor(source.tensor())
            .ifPresent(adaptor -> runs.addAll(runs(adaptor, source, stack.inputs())));
      }
    }
    return runs;
  }

  private BlockFormat format(Source source) {
    Checkpoint.Tensor tensor = file.tensor(source.tensor());
    return tensor
        .format()
        .orElseThrow(() ->
            new LlamaException(
                String.format(
                    Locale.ROOT,
                    "model: tensor %s has the type %s, expected one of %s: use the model in another quantization",
                    tensor.label(),
                    tensor.type(),
                    BlockFormat.standard())));
  }
}

package dev.quern.llama.quantize;

import dev.quern.data.BlockFormat;
import dev.quern.llama.checkpoint.Checkpoint;
import dev.quern.llama.error.LlamaException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// Which tensor of a model gets which format.
///
/// Matrices are quantized; norms and everything else of one dimension becomes F32, as llama.cpp
/// wants it. A matrix whose rows are no whole number of the format's blocks keeps its source
/// format.
///
/// @param options what was asked for
/// @param items all tensors, in the source's order, then RoPE's where a folder's follow from its
///   configuration
/// @since 0.1
/// @stability api
public record QuantizePlan(QuantizeOptions options, List<Item> items) {
  private static final String CLASSIFIER = "output.weight";
  private static final String EMBEDDING = "token_embd.weight";
  private static final Set<BlockFormat> SOURCES =
      Set.of(BlockFormat.F32, BlockFormat.F16, BlockFormat.BF16);

  /// A tensor and the format it gets.
  ///
  /// @param source the format it has
  /// @param wanted the format that the scheme asks for; of anything but a matrix, F32
  /// @param format the format it gets
  public record Item(
      Checkpoint.Tensor tensor, BlockFormat source, BlockFormat wanted, BlockFormat format) {
    /// Whether its bytes stay as they are.
    public boolean kept() {
      return format.equals(source);
    }

    /// Whether its width forbids what the scheme asks for.
    public boolean unfit() {
      return !format.equals(wanted);
    }

    /// Bytes in the new file, scales included.
    public long bytes() {
      return bytes(format);
    }

    /// Bytes in the source.
    public long sourceBytes() {
      return bytes(source);
    }

    /// The shape, row length first.
    long[] dims() {
      return tensor.dims().stream().mapToLong(d -> d).toArray();
    }

    private long bytes(BlockFormat as) {
      long width = tensor.dims().getFirst();
      long rows = tensor.elements() / width;
      long blocks = width / as.blockElements();
      return rows * blocks * as.blockBytes() + as.scalePlane().bytes(rows, blocks);
    }
  }

  public QuantizePlan {
    items = List.copyOf(items);
  }

  /// Plans.
  ///
  /// @throws LlamaException where a matrix is quantized already, or where tied embeddings are asked
  ///   to be of two formats
  public static QuantizePlan of(Checkpoint source, QuantizeOptions options) throws IOException {
    boolean tied = source.find(CLASSIFIER).isEmpty();
    List<Item> items = new ArrayList<>();
    for (Checkpoint.Tensor t : source.tensors()) {
      items.add(t.isMatrix() ? matrix(t, options, tied) : vector(t, source(t)));
    }
    source
        .config()
        .rope()
        .scaling()
        .tensors()
        .forEach((name, values) -> {
          if (source.find(name).isEmpty()) {
            items.add(vector(ropeTensor(name, values.size()), BlockFormat.F32));
          }
        });
    return new QuantizePlan(options, items);
  }

  private static Checkpoint.Tensor ropeTensor(String name, int count) {
    return new Checkpoint.Tensor(
        name,
        name,
        "F32",
        Optional.of(BlockFormat.F32),
        List.of((long) count),
        (long) count * Float.BYTES);
  }

  private static Item vector(Checkpoint.Tensor t, BlockFormat source) {
    if (t.dims().size() != 1) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: tensor %s is %s, expected one or two dimensions",
              t.label(),
              t.dims()));
    }
    return new Item(t, source, BlockFormat.F32, BlockFormat.F32);
  }

  private static BlockFormat source(Checkpoint.Tensor t) {
    return t.format()
        .filter(SOURCES::contains)
        .orElseThrow(() ->
            new LlamaException(
                String.format(
                    Locale.ROOT,
                    "model: tensor %s is %s, expected F32, F16 or BF16: quantize the original, since errors of two roundings add up",
                    t.label(),
                    t.format().map(BlockFormat::toString).orElse(t.type()))));
  }

  private static Item matrix(Checkpoint.Tensor t, QuantizeOptions options, boolean tied) {
    BlockFormat source = source(t);
    if (t.dims().get(0) > Integer.MAX_VALUE || t.dims().get(1) > Integer.MAX_VALUE) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: tensor %s is %s, expected two dimensions below 2^31",
              t.label(),
              t.dims()));
    }
    boolean classifier = t.name().equals(CLASSIFIER) || tied && t.name().equals(EMBEDDING);
    boolean embedding = t.name().equals(EMBEDDING);
    WeightScheme scheme = options.scheme();
    if (classifier) {
      scheme = classifier(options, tied);
    } else if (embedding) {
      scheme = options.embedding().orElse(WeightScheme.of(scheme.embedding()));
    }
    BlockFormat wanted = scheme.format(options.group());
    if (fits(t, wanted)) {
      return new Item(t, source, wanted, wanted);
    }
    // llama-quantize's second choice for the classifier of its 4-bit mixes.
    boolean suggested =
        classifier && options.classifier().isEmpty() && options.embedding().isEmpty();
    if (suggested && scheme.name().equals("q6_k") && fits(t, BlockFormat.Q8_0)) {
      return new Item(t, source, BlockFormat.Q8_0, BlockFormat.Q8_0);
    }
    return new Item(t, source, wanted, source);
  }

  /// Of tied embeddings either option speaks for both.
  private static WeightScheme classifier(QuantizeOptions options, boolean tied) {
    Optional<WeightScheme> embedding = tied ? options.embedding() : Optional.empty();
    Optional<WeightScheme> classifier = options.classifier();
    if (embedding.isPresent() && classifier.isPresent() && !embedding.equals(classifier)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "classifier %s and embedding %s, expected the same: this model's embeddings are tied, so both are one matrix",
              classifier.get().name(),
              embedding.get().name()));
    }
    return classifier.or(() -> embedding).orElse(WeightScheme.of(options.scheme().classifier()));
  }

  private static boolean fits(Checkpoint.Tensor t, BlockFormat format) {
    return t.dims().getFirst() % format.blockElements() == 0;
  }

  /// Whether any matrix gets the scheme's format.
  public boolean applies() {
    BlockFormat format = options.scheme().format(options.group());
    return items.stream().anyMatch(i -> i.tensor().isMatrix() && i.format().equals(format));
  }

  /// The share of the matrices' weights that keep their source format since their width fits no
  /// block of what the scheme asks for; 0 to 1.
  public double unfitShare() {
    long all = 0;
    long unfit = 0;
    for (Item item : items) {
      if (item.tensor().isMatrix()) {
        all += item.tensor().elements();
        unfit += item.unfit() ? item.tensor().elements() : 0;
      }
    }
    return (double) unfit / all;
  }

  /// Bytes of all tensors in the new file.
  public long bytes() {
    return items.stream().mapToLong(Item::bytes).sum();
  }

  /// Bytes of all tensors in the source.
  public long sourceBytes() {
    return items.stream().mapToLong(Item::sourceBytes).sum();
  }
}

package dev.quern.llama.quantize;

import dev.quern.data.BlockFormat;
import dev.quern.llama.LlamaException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Which tensor of a model gets which format.
///
/// Matrices are quantised; norms and everything else of one dimension stay as they are. A matrix
/// whose rows are no whole number of the format's blocks keeps its source format.
///
/// @param options what was asked for
/// @param items all tensors, in the source's order
public record QuantizePlan(QuantizeOptions options, List<Item> items) {
  private static final String CLASSIFIER = "output.weight";
  private static final String EMBEDDING = "token_embd.weight";
  private static final Set<BlockFormat> SOURCES =
      Set.of(BlockFormat.F32, BlockFormat.F16, BlockFormat.BF16);

  /// A tensor and the format it gets.
  ///
  /// @param wanted the format that the scheme asks for; of anything but a matrix, its own
  /// @param format the format it gets
  public record Item(TensorSource.Tensor tensor, BlockFormat wanted, BlockFormat format) {
    /// Whether its bytes stay as they are.
    public boolean kept() {
      return format.equals(tensor.format());
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
      return bytes(tensor.format());
    }

    private long bytes(BlockFormat as) {
      long[] dims = tensor.dims();
      long rows = tensor.elements() / dims[0];
      long blocks = dims[0] / as.blockElements();
      return rows * blocks * as.blockBytes() + as.scalePlane().bytes(rows, blocks);
    }
  }

  public QuantizePlan {
    items = List.copyOf(items);
  }

  /// Plans.
  ///
  /// @throws LlamaException where a matrix is quantised already, or where tied embeddings are asked
  ///   to be of two formats
  public static QuantizePlan of(TensorSource source, QuantizeOptions options) {
    boolean tied = source.tensors().stream().noneMatch(t -> t.name().equals(CLASSIFIER));
    List<Item> items = new ArrayList<>();
    for (TensorSource.Tensor t : source.tensors()) {
      items.add(t.isMatrix() ? matrix(t, options, tied) : new Item(t, t.format(), t.format()));
    }
    return new QuantizePlan(options, items);
  }

  private static Item matrix(TensorSource.Tensor t, QuantizeOptions options, boolean tied) {
    if (!SOURCES.contains(t.format())) {
      throw new LlamaException(
          "model: tensor %s is %s, expected F32, F16 or BF16: quantise the original, since errors of two roundings add up"
              .formatted(t.name(), t.format()));
    }
    if (t.dims()[0] > Integer.MAX_VALUE || t.dims()[1] > Integer.MAX_VALUE) {
      throw new LlamaException(
          "model: tensor %s is %s, expected two dimensions below 2^31"
              .formatted(t.name(), Arrays.toString(t.dims())));
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
      return new Item(t, wanted, wanted);
    }
    // llama-quantize's second choice for the classifier of its 4-bit mixes.
    boolean suggested =
        classifier && options.classifier().isEmpty() && options.embedding().isEmpty();
    if (suggested && scheme.name().equals("q6_k") && fits(t, BlockFormat.Q8_0)) {
      return new Item(t, BlockFormat.Q8_0, BlockFormat.Q8_0);
    }
    return new Item(t, wanted, t.format());
  }

  /// Of tied embeddings either option speaks for both.
  private static WeightScheme classifier(QuantizeOptions options, boolean tied) {
    Optional<WeightScheme> embedding = tied ? options.embedding() : Optional.empty();
    Optional<WeightScheme> classifier = options.classifier();
    if (embedding.isPresent() && classifier.isPresent() && !embedding.equals(classifier)) {
      throw new LlamaException(
          "classifier %s and embedding %s, expected the same: this model's embeddings are tied, so both are one matrix"
              .formatted(classifier.get().name(), embedding.get().name()));
    }
    return classifier.or(() -> embedding).orElse(WeightScheme.of(options.scheme().classifier()));
  }

  private static boolean fits(TensorSource.Tensor t, BlockFormat format) {
    return t.dims()[0] % format.blockElements() == 0;
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

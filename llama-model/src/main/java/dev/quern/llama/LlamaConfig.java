package dev.quern.llama;

import dev.quern.llama.gguf.GgufMetadata;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.llama.text.Printable;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalLong;

/// The shape of a Llama model, from GGUF metadata (keys of the `llama` architecture in ggml's
/// gguf.md).
///
/// @param name the model's name, for people: one line, safe to print
/// @param layers transformer blocks
/// @param width elements of the residual stream
/// @param hidden elements of the feed-forward network's inner layer
/// @param heads query heads
/// @param kvHeads key/value heads; divides `heads`
/// @param headDim elements of a head; not always `width / heads`
/// @param contextLength positions that the model was trained for
/// @param normEpsilon epsilon of RMSNorm
/// @param ropeDim elements of a head that RoPE rotates, from its start; the rest stays as it is
/// @param ropeBase base of RoPE's frequencies
/// @param ropeScale factor on positions (linear scaling); 1 where there is none
/// @param vocabulary number of tokens
public record LlamaConfig(
    String name,
    int layers,
    int width,
    int hidden,
    int heads,
    int kvHeads,
    int headDim,
    int contextLength,
    float normEpsilon,
    int ropeDim,
    double ropeBase,
    double ropeScale,
    int vocabulary) {

  public LlamaConfig {
    name = Printable.escaped(name);
  }

  /// Bounds on what a header may claim. They are far above any model, and keep products within
  /// `int`.
  private static final int MAX_LAYERS = 4096;

  private static final int MAX_DIM = 1 << 24;

  /// Reads and checks the metadata.
  ///
  /// @param metadata the file's metadata
  /// @param vocabulary rows of the embedding matrix
  /// @throws LlamaException for another architecture, or a value that is missing or out of range
  static LlamaConfig from(GgufMetadata metadata, int vocabulary) {
    String architecture = metadata.string("general.architecture").orElse("none");
    if (!architecture.equals("llama")) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: general.architecture is %s, expected 'llama' (Llama 2, Llama 3.x and their like)",
              Printable.quoted(architecture)));
    }
    if (metadata.integer("llama.expert_count").orElse(0) > 0) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: llama.expert_count is %d, expected none: mixtures of experts are not supported",
              metadata.integer("llama.expert_count").getAsLong()));
    }
    int layers = bounded(metadata, "llama.block_count", MAX_LAYERS);
    int width = bounded(metadata, "llama.embedding_length", MAX_DIM);
    int hidden = bounded(metadata, "llama.feed_forward_length", MAX_DIM);
    int heads = bounded(metadata, "llama.attention.head_count", 1 << 16);
    int kvHeads =
        metadata.has("llama.attention.head_count_kv")
            ? bounded(metadata, "llama.attention.head_count_kv", 1 << 16)
            : heads;
    if (heads % kvHeads != 0) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: llama.attention.head_count=%d, expected a multiple of head_count_kv=%d",
              heads,
              kvHeads));
    }
    int headDim = headDim(metadata, width, heads);
    if ((long) heads * headDim > MAX_DIM) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %d heads of %d elements, expected at most %d elements together",
              heads,
              headDim,
              MAX_DIM));
    }
    return new LlamaConfig(
        metadata.string("general.name").orElse("unnamed"),
        layers,
        width,
        hidden,
        heads,
        kvHeads,
        headDim,
        bounded(metadata, "llama.context_length", MAX_DIM),
        (float) epsilon(metadata),
        ropeDim(metadata, headDim),
        positive(metadata, "llama.rope.freq_base", 10_000),
        ropeScale(metadata),
        vocabulary);
  }

  /// Writes what [#from] reads. GGUF keeps the numbers of RoPE and RMSNorm as F32; of common models
  /// they are.
  void writeTo(GgufWriter writer) {
    writer
        .string("general.architecture", "llama")
        .string("general.type", "model")
        .string("general.name", name)
        .uint32("llama.vocab_size", vocabulary)
        .uint32("llama.block_count", layers)
        .uint32("llama.embedding_length", width)
        .uint32("llama.feed_forward_length", hidden)
        .uint32("llama.context_length", contextLength)
        .uint32("llama.attention.head_count", heads)
        .uint32("llama.attention.head_count_kv", kvHeads)
        .uint32("llama.attention.key_length", headDim)
        .uint32("llama.attention.value_length", headDim)
        .float32("llama.attention.layer_norm_rms_epsilon", normEpsilon)
        .uint32("llama.rope.dimension_count", ropeDim)
        .float32("llama.rope.freq_base", (float) ropeBase);
    if (ropeScale != 1) {
      writer
          .string("llama.rope.scaling.type", "linear")
          .float32("llama.rope.scaling.factor", (float) (1 / ropeScale));
    }
  }

  /// Elements of all query heads of a row.
  public int queryWidth() {
    return heads * headDim;
  }

  /// Elements of all key heads (or value heads) of a row.
  public int kvWidth() {
    return kvHeads * headDim;
  }

  private static int headDim(GgufMetadata metadata, int width, int heads) {
    if (!metadata.has("llama.attention.key_length")) {
      if (width % heads != 0) {
        throw new LlamaException(
            String.format(
                Locale.ROOT,
                "model: llama.embedding_length=%d is no multiple of head_count=%d, expected that, or llama.attention.key_length",
                width,
                heads));
      }
      return even("llama.embedding_length / llama.attention.head_count", width / heads);
    }
    int keys = bounded(metadata, "llama.attention.key_length", 1 << 16);
    OptionalLong values = metadata.integer("llama.attention.value_length");
    if (values.isPresent() && values.getAsLong() != keys) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: llama.attention.key_length=%d and value_length=%d, expected the same",
              keys,
              values.getAsLong()));
    }
    return even("llama.attention.key_length", keys);
  }

  private static int ropeDim(GgufMetadata metadata, int headDim) {
    if (!metadata.has("llama.rope.dimension_count")) {
      return headDim;
    }
    return even(
        "llama.rope.dimension_count", bounded(metadata, "llama.rope.dimension_count", headDim));
  }

  private static double ropeScale(GgufMetadata metadata) {
    String type = metadata.string("llama.rope.scaling.type").orElse("none");
    return switch (type) {
      case "none" -> 1;
      case "linear" -> 1 / positive(metadata, "llama.rope.scaling.factor", 1);
      default ->
          throw new LlamaException(
              String.format(
                  Locale.ROOT,
                  "model: llama.rope.scaling.type is %s, expected none or linear (Llama 3's scaling comes as the tensor rope_freqs.weight)",
                  Printable.quoted(type)));
    };
  }

  private static double epsilon(GgufMetadata metadata) {
    return positive(metadata, "llama.attention.layer_norm_rms_epsilon", 1e-5);
  }

  private static int even(String what, int value) {
    if (value % 2 != 0) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s is %d, expected an even number (RoPE rotates pairs)",
              what,
              value));
    }
    return value;
  }

  /// An integer from 1 to `max`, or an array that holds nothing but one such integer (files that
  /// give a value for each layer).
  private static int bounded(GgufMetadata metadata, String key, int max) {
    long value = integerOrUniformArray(metadata, key);
    if (value < 1 || value > max) {
      throw new LlamaException(
          String.format(Locale.ROOT, "model: %s=%d, expected 1 to %d", key, value, max));
    }
    return (int) value;
  }

  private static long integerOrUniformArray(GgufMetadata metadata, String key) {
    if (!metadata.has(key)) {
      throw new LlamaException(String.format(Locale.ROOT, "model: metadata lacks %s", key));
    }
    if (!metadata.isArray(key)) {
      return metadata.integer(key).orElseThrow();
    }
    int[] values = metadata.ints(key);
    if (values.length == 0 || Arrays.stream(values).anyMatch(v -> v != values[0])) {
      throw new LlamaException(
          String.format(
              Locale.ROOT, "model: %s differs between layers, expected one value for all", key));
    }
    return values[0];
  }

  private static double positive(GgufMetadata metadata, String key, double absent) {
    double value = metadata.number(key).orElse(absent);
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT, "model: %s=%s, expected a positive finite number", key, value));
    }
    return value;
  }
}

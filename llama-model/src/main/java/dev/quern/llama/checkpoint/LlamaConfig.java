package dev.quern.llama.checkpoint;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufMetadata;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.llama.text.Printable;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

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
/// @since 0.1
/// @stability api
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
    name = Printable.cut(Printable.escaped(name), MAX_NAME);
    if (!(normEpsilon > 0)
        || Float.isInfinite(normEpsilon)) { // as read it may be too large for F32
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: the epsilon of RMSNorm is %s as F32, expected a positive finite number",
              normEpsilon));
    }
  }

  /// Bounds on what a header may claim. They are far above any model, and keep products within
  /// `int`.
  private static final int MAX_LAYERS = 4096;

  private static final int MAX_NAME = 200;

  private static final int MAX_DIM = 1 << 24;

  /// What numbers of a model may be: wide around all that there are, and such that nothing that is
  /// computed from them overflows F32.
  static final double MIN_EPSILON = 1e-30;

  static final double MAX_EPSILON = 1;
  static final double MIN_ROPE_BASE = 1;
  static final double MAX_ROPE_BASE = 1e12;
  static final double MIN_ROPE_FACTOR = 1e-6;
  static final double MAX_ROPE_FACTOR = 1e6;
  static final double DEFAULT_ROPE_BASE = 10_000;

  private static final String EPSILON = "llama.attention.layer_norm_rms_epsilon";
  private static final String ROPE_BASE = "llama.rope.freq_base";
  private static final String ROPE_TYPE = "llama.rope.scaling.type";
  private static final String VALUE_LENGTH = "llama.attention.value_length";

  /// The factor on positions, by its present name and an older one, as llama.cpp looks for it.
  private static final List<String> ROPE_FACTORS =
      List.of("llama.rope.scaling.factor", "llama.rope.scale_linear");

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
    LlamaKeys.check(metadata);
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
    int contextLength = bounded(metadata, "llama.context_length", MAX_DIM);
    checkAttention(metadata, headDim, contextLength);
    return new LlamaConfig(
        metadata.stringForPeople("general.name").orElse("unnamed"),
        layers,
        width,
        hidden,
        heads,
        kvHeads,
        headDim,
        contextLength,
        (float) between(metadata, EPSILON, MIN_EPSILON, MAX_EPSILON),
        ropeDim(metadata, headDim),
        metadata.has(ROPE_BASE)
            ? between(metadata, ROPE_BASE, MIN_ROPE_BASE, MAX_ROPE_BASE)
            : DEFAULT_ROPE_BASE,
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
      requireValueLength(metadata, width / heads);
      return even("llama.embedding_length / llama.attention.head_count", width / heads);
    }
    int keys = bounded(metadata, "llama.attention.key_length", 1 << 16);
    requireValueLength(metadata, keys);
    return even("llama.attention.key_length", keys);
  }

  private static void requireValueLength(GgufMetadata metadata, int keys) {
    if (metadata.has(VALUE_LENGTH) && integerOrUniformArray(metadata, VALUE_LENGTH) != keys) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%d, expected %d, the elements of a key",
              VALUE_LENGTH,
              integerOrUniformArray(metadata, VALUE_LENGTH),
              keys));
    }
  }

  private static int ropeDim(GgufMetadata metadata, int headDim) {
    if (!metadata.has("llama.rope.dimension_count")) {
      return headDim;
    }
    return even(
        "llama.rope.dimension_count", bounded(metadata, "llama.rope.dimension_count", headDim));
  }

  /// As llama.cpp reads it: a factor without a type is linear, and with the type none it counts for
  /// nothing.
  private static double ropeScale(GgufMetadata metadata) {
    String type = metadata.string(ROPE_TYPE).orElse("linear");
    if (type.equals("none")) {
      return 1;
    }
    if (!type.equals("linear")) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s is %s, expected none or linear (Llama 3's scaling comes as the tensor rope_freqs.weight)",
              ROPE_TYPE,
              Printable.quoted(type)));
    }
    for (String key : ROPE_FACTORS) {
      if (metadata.number(key).orElse(0) != 0) { // 0: not set
        return 1 / between(metadata, key, MIN_ROPE_FACTOR, MAX_ROPE_FACTOR);
      }
    }
    return 1;
  }

  /// Scores are divided by the root of a head's elements, and all positions before a query are
  /// looked at: a file may say so.
  private static void checkAttention(GgufMetadata metadata, int headDim, int contextLength) {
    double root = 1 / Math.sqrt(headDim);
    double scale = metadata.number("llama.attention.scale").orElse(0);
    if (scale != 0 && !(Math.abs(scale - root) < 1e-5 * root)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: llama.attention.scale=%s, expected %s, 1 / sqrt(%d), or none",
              scale,
              (float) root,
              headDim));
    }
    String key = "llama.attention.sliding_window";
    long window = metadata.has(key) ? integerOrUniformArray(metadata, key) : 0;
    if (window != 0 && window < contextLength) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%d, expected none, or the %d positions of llama.context_length: sliding windows are not supported",
              key,
              window,
              contextLength));
    }
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

  private static double between(GgufMetadata metadata, String key, double min, double max) {
    double value =
        metadata
            .number(key)
            .orElseThrow(() ->
                new LlamaException(String.format(Locale.ROOT, "model: metadata lacks %s", key)));
    if (!(value >= min && value <= max)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%s, expected a positive finite number, %s to %s",
              key,
              value,
              min,
              max));
    }
    return value;
  }
}

package dev.quern.llama.checkpoint;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufMetadata;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.llama.text.Printable;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/// A model's shape as GGUF's metadata states it (ggml's gguf.md): keys begin with the name of the
/// architecture, and are the same for all families behind it.
final class GgufConfig {
  private static final String ARCHITECTURE = "general.architecture";

  /// Bounds on what a header may claim. They are far above any model, and keep products within
  /// `int`.
  private static final int MAX_LAYERS = 4096;

  private static final int MAX_HEADS = 1 << 16;
  private static final int MAX_DIM = 1 << 24;

  private static final String EPSILON = "attention.layer_norm_rms_epsilon";
  private static final String KEY_LENGTH = "attention.key_length";
  private static final String VALUE_LENGTH = "attention.value_length";
  private static final String WINDOW = "attention.sliding_window";

  private final GgufMetadata metadata;
  private final Family family;

  private GgufConfig(GgufMetadata metadata, Family family) {
    this.metadata = metadata;
    this.family = family;
  }

  /// Reads and checks the metadata.
  ///
  /// @param metadata the file's metadata
  /// @param vocabulary rows of the embedding matrix
  /// @param ropeTensors those of [RopeScaling#tensorNames()] that the file has
  /// @throws LlamaException for an architecture of no family, or a value that is missing or out of
  ///   range
  static LlamaConfig read(
      GgufMetadata metadata, int vocabulary, Map<String, List<Float>> ropeTensors) {
    String architecture = metadata.string(ARCHITECTURE).orElse("none");
    Family family =
        Family.byArchitecture(architecture)
            .orElseThrow(() ->
                new LlamaException(
                    String.format(
                        Locale.ROOT,
                        "model: general.architecture is %s, expected %s",
                        Printable.quoted(architecture),
                        Family.architectures())));
    ConfigKeys.check(metadata, family);
    return new GgufConfig(metadata, family).read(vocabulary, ropeTensors);
  }

  /// Writes what [#read] reads. GGUF keeps the numbers of RoPE and RMSNorm as F32; of common models
  /// they are.
  static void write(LlamaConfig config, GgufWriter writer) {
    Family family = config.family();
    writer
        .string(ARCHITECTURE, family.architecture())
        .string("general.type", "model")
        .string("general.name", config.name())
        .uint32(family.key("vocab_size"), config.vocabulary())
        .uint32(family.key("block_count"), config.layers())
        .uint32(family.key("embedding_length"), config.width())
        .uint32(family.key("feed_forward_length"), config.hidden())
        .uint32(family.key("context_length"), config.contextLength())
        .uint32(family.key("attention.head_count"), config.heads())
        .uint32(family.key("attention.head_count_kv"), config.kvHeads())
        .uint32(family.key(KEY_LENGTH), config.headDim())
        .uint32(family.key(VALUE_LENGTH), config.headDim())
        .float32(family.key(EPSILON), config.normEpsilon());
    GgufRope.write(config, writer);
  }

  private LlamaConfig read(int vocabulary, Map<String, List<Float>> ropeTensors) {
    int layers = bounded("block_count", MAX_LAYERS);
    int width = bounded("embedding_length", MAX_DIM);
    int hidden = bounded("feed_forward_length", MAX_DIM);
    int heads = bounded("attention.head_count", MAX_HEADS);
    int kvHeads =
        has("attention.head_count_kv") ? bounded("attention.head_count_kv", MAX_HEADS) : heads;
    if (heads % kvHeads != 0) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%d, expected a multiple of head_count_kv=%d",
              family.key("attention.head_count"),
              heads,
              kvHeads));
    }
    int headDim = headDim(width, heads);
    if ((long) heads * headDim > MAX_DIM) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %d heads of %d elements, expected at most %d elements together",
              heads,
              headDim,
              MAX_DIM));
    }
    int contextLength = bounded("context_length", MAX_DIM);
    checkAttention(headDim, contextLength);
    return new LlamaConfig(
        family,
        metadata.stringForPeople("general.name").orElse("unnamed"),
        layers,
        width,
        hidden,
        heads,
        kvHeads,
        headDim,
        contextLength,
        (float) between(EPSILON, LlamaConfig.MIN_EPSILON, LlamaConfig.MAX_EPSILON),
        new GgufRope(this, ropeTensors, headDim, contextLength).read(),
        vocabulary);
  }

  private int headDim(int width, int heads) {
    if (!has(KEY_LENGTH)) {
      if (width % heads != 0) {
        throw new LlamaException(
            String.format(
                Locale.ROOT,
                "model: %s=%d is no multiple of head_count=%d, expected that, or %s",
                family.key("embedding_length"),
                width,
                heads,
                family.key(KEY_LENGTH)));
      }
      requireValueLength(width / heads);
      return even("embedding_length / attention.head_count", width / heads);
    }
    int keys = bounded(KEY_LENGTH, MAX_HEADS);
    requireValueLength(keys);
    return even(KEY_LENGTH, keys);
  }

  private void requireValueLength(int keys) {
    if (has(VALUE_LENGTH) && integerOrUniformArray(VALUE_LENGTH) != keys) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%d, expected %d, the elements of a key",
              family.key(VALUE_LENGTH),
              integerOrUniformArray(VALUE_LENGTH),
              keys));
    }
  }

  /// Scores are divided by the root of a head's elements, and all positions before a query are
  /// looked at: a file may say so.
  private void checkAttention(int headDim, int contextLength) {
    double root = 1 / Math.sqrt(headDim);
    String scaleKey = family.key("attention.scale");
    double scale = metadata.number(scaleKey).orElse(0);
    if (scale != 0 && !(Math.abs(scale - root) < 1e-5 * root)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%s, expected %s, 1 / sqrt(%d), or none",
              scaleKey,
              scale,
              (float) root,
              headDim));
    }
    long window = has(WINDOW) ? integerOrUniformArray(WINDOW) : 0;
    if (window != 0 && window < contextLength) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%d, expected none, or the %d positions of %s: sliding windows are not supported",
              family.key(WINDOW),
              window,
              contextLength,
              family.key("context_length")));
    }
  }

  /// @param what the key, or keys, for messages
  int even(String what, int value) {
    if (value % 2 != 0) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s is %d, expected an even number (RoPE rotates pairs)",
              family.key(what),
              value));
    }
    return value;
  }

  GgufMetadata metadata() {
    return metadata;
  }

  Family family() {
    return family;
  }

  boolean has(String key) {
    return metadata.has(family.key(key));
  }

  OptionalDouble number(String key) {
    return metadata.number(family.key(key));
  }

  /// An integer from 1 to `max`, or an array that holds nothing but one such integer (files that
  /// give a value for each layer).
  int bounded(String key, int max) {
    long value = integerOrUniformArray(key);
    if (value < 1 || value > max) {
      throw new LlamaException(
          String.format(
              Locale.ROOT, "model: %s=%d, expected 1 to %d", family.key(key), value, max));
    }
    return (int) value;
  }

  private long integerOrUniformArray(String name) {
    String key = family.key(name);
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

  double between(String name, double min, double max) {
    String key = family.key(name);
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

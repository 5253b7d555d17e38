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
  static final int MAX_LAYERS = 4096;

  static final int MAX_HEADS = 1 << 16;
  static final int MAX_DIM = 1 << 24;

  private static final String EPSILON = "attention.layer_norm_rms_epsilon";
  private static final String EMBEDDING_SCALE = "embedding_scale";
  private static final String RESIDUAL_SCALE = "residual_scale";
  private static final String LOGIT_SCALE = "logit_scale";
  private static final String LOGIT_CAP = "final_logit_softcapping";

  /// Gemma 2's, where a file does not say (as llama.cpp and transformers).
  static final float DEFAULT_LOGIT_CAP = 30;

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
        .float32(family.key(EPSILON), config.normEpsilon());
    GgufAttention.write(config, writer);
    GgufRope.write(config, writer);
    Multipliers multipliers = config.multipliers();
    if (family.has(Family.Trait.MULTIPLIERS)) {
      writer
          .float32(family.key(EMBEDDING_SCALE), multipliers.embedding())
          .float32(family.key(RESIDUAL_SCALE), multipliers.residual())
          .float32(family.key(LOGIT_SCALE), multipliers.logitDivisor());
    }
    if (family.has(Family.Trait.SOFT_CAPS)) {
      writer.float32(family.key(LOGIT_CAP), multipliers.logitSoftCap());
    }
  }

  private LlamaConfig read(int vocabulary, Map<String, List<Float>> ropeTensors) {
    int layers = bounded("block_count", MAX_LAYERS);
    int width = bounded("embedding_length", MAX_DIM);
    int hidden = bounded("feed_forward_length", MAX_DIM);
    int contextLength = bounded("context_length", MAX_DIM);
    AttentionShape attention = new GgufAttention(this, family).read(layers, width, contextLength);
    return new LlamaConfig(
        family,
        metadata.stringForPeople("general.name").orElse("unnamed"),
        layers,
        width,
        hidden,
        attention,
        contextLength,
        (float) between(EPSILON, LlamaConfig.MIN_EPSILON, LlamaConfig.MAX_EPSILON),
        new GgufRope(this, family, ropeTensors, attention.headDim(), contextLength).read(),
        multipliers(width),
        vocabulary);
  }

  /// What Gemma multiplies embeddings with follows from its shape. A scale of 0 is not set, as
  /// llama.cpp has it.
  private Multipliers multipliers(int width) {
    if (family.has(Family.Trait.MULTIPLIERS)) {
      return new Multipliers(
          factor(EMBEDDING_SCALE, 1), factor(RESIDUAL_SCALE, 1), factor(LOGIT_SCALE), 0);
    }
    float embedding = family.has(Family.Trait.ROOT_WIDTH_EMBEDDINGS) ? (float) Math.sqrt(width) : 1;
    float cap = family.has(Family.Trait.SOFT_CAPS) ? softCap(LOGIT_CAP, DEFAULT_LOGIT_CAP) : 0;
    return new Multipliers(embedding, 1, 1, cap);
  }

  /// A cap, of which 0 is none, or what holds where the key is absent.
  float softCap(String key, float absent) {
    return has(key) ? factor(key, 0) : absent;
  }

  /// A factor, or what holds where the key is absent or 0.
  float factor(String key, float absent) {
    return metadata.number(family.key(key)).orElse(0) == 0 ? absent : factor(key);
  }

  private float factor(String key) {
    return (float) between(key, LlamaConfig.MIN_FACTOR, LlamaConfig.MAX_FACTOR);
  }

  /// @param what the key, or keys, for messages
  static int even(String what, int value) {
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

  GgufMetadata metadata() {
    return metadata;
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

  long integerOrUniformArray(String name) {
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

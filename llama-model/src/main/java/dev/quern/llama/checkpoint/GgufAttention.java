package dev.quern.llama.checkpoint;

import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufWriter;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/// A model's attention as GGUF's metadata states it.
///
/// @param keys all of the metadata
record GgufAttention(GgufConfig keys, Family family) {
  private static final String HEADS = "attention.head_count";
  private static final String KV_HEADS = "attention.head_count_kv";
  private static final String KEY_LENGTH = "attention.key_length";
  private static final String VALUE_LENGTH = "attention.value_length";
  private static final String SCALE = "attention.scale";
  private static final String SOFT_CAP = "attn_logit_softcapping";
  private static final String WINDOW = "attention.sliding_window";
  private static final String PATTERN = "attention.sliding_window_pattern";
  private static final String LOCAL_ROPE_BASE = "rope.freq_base_swa";

  /// Gemma 2's, where a file does not say (as llama.cpp and transformers).
  static final float DEFAULT_SOFT_CAP = 50;

  /// Layers of the models whose scores are divided by the root of width / heads, not of a head's
  /// elements: Gemma 2 and 3 of 27B. Their files don't say; llama.cpp knows them so, too.
  private static final Map<Family, Integer> ROOT_OF_WIDTH =
      Map.of(Family.GEMMA2, 46, Family.GEMMA3, 62);

  /// Writes what [#read] reads.
  static void write(LlamaConfig config, GgufWriter writer) {
    Family family = config.family();
    AttentionShape attention = config.attention();
    writer
        .uint32(family.key(HEADS), attention.heads())
        .uint32(family.key(KV_HEADS), attention.kvHeads())
        .uint32(family.key(KEY_LENGTH), attention.headDim())
        .uint32(family.key(VALUE_LENGTH), attention.headDim());
    if (family.has(Family.Trait.ATTENTION_SCALE)) {
      writer.float32(family.key(SCALE), attention.scale());
    }
    if (family.has(Family.Trait.SOFT_CAPS)) {
      writer.float32(family.key(SOFT_CAP), attention.softCap());
    }
    attention.local().ifPresent(local -> write(local, family, writer));
  }

  private static void write(LocalLayers local, Family family, GgufWriter writer) {
    writer.uint32(family.key(WINDOW), local.window());
    if (local.period() != 0) {
      writer.uint32(family.key(PATTERN), local.period());
    }
    local.ropeBase().ifPresent(base -> writer.float32(family.key(LOCAL_ROPE_BASE), (float) base));
  }

  /// @param layers of the model
  /// @param width elements of the residual stream
  /// @param contextLength positions that the model was trained for
  AttentionShape read(int layers, int width, int contextLength) {
    int heads = keys.bounded(HEADS, GgufConfig.MAX_HEADS);
    int kvHeads = keys.has(KV_HEADS) ? keys.bounded(KV_HEADS, GgufConfig.MAX_HEADS) : heads;
    if (heads % kvHeads != 0) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%d, expected a multiple of head_count_kv=%d",
              family.key(HEADS),
              heads,
              kvHeads));
    }
    int headDim = headDim(width, heads);
    if ((long) heads * headDim > GgufConfig.MAX_DIM) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %d heads of %d elements, expected at most %d elements together",
              heads,
              headDim,
              GgufConfig.MAX_DIM));
    }
    boolean rootOfWidth = ROOT_OF_WIDTH.getOrDefault(family, 0) == layers;
    float root = AttentionShape.rootScale(rootOfWidth ? (double) (width / heads) : headDim);
    return new AttentionShape(
        heads,
        kvHeads,
        headDim,
        scale(root, headDim),
        family.has(Family.Trait.SOFT_CAPS) ? keys.softCap(SOFT_CAP, DEFAULT_SOFT_CAP) : 0,
        local(contextLength));
  }

  private int headDim(int width, int heads) {
    if (!keys.has(KEY_LENGTH)) {
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
      String quotient = family.key("embedding_length") + " / " + family.key(HEADS);
      return GgufConfig.even(quotient, width / heads);
    }
    int length = keys.bounded(KEY_LENGTH, GgufConfig.MAX_HEADS);
    requireValueLength(length);
    return GgufConfig.even(family.key(KEY_LENGTH), length);
  }

  private void requireValueLength(int length) {
    if (keys.has(VALUE_LENGTH) && keys.integerOrUniformArray(VALUE_LENGTH) != length) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%d, expected %d, the elements of a key",
              family.key(VALUE_LENGTH),
              keys.integerOrUniformArray(VALUE_LENGTH),
              length));
    }
  }

  /// @param root what scores are multiplied with where the file does not say
  private float scale(float root, int headDim) {
    if (family.has(Family.Trait.ATTENTION_SCALE)) {
      return keys.factor(SCALE, root);
    }
    double scale = keys.number(SCALE).orElse(0);
    if (scale != 0 && !(Math.abs(scale - root) < 1e-5 * root)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%s, expected %s, 1 / sqrt(%d), or none",
              family.key(SCALE),
              scale,
              root,
              headDim));
    }
    return root;
  }

  /// A window that no query fills is none, unless its layers differ by their rope too.
  private Optional<LocalLayers> local(int contextLength) {
    int given = keys.has(WINDOW) ? window() : 0;
    if (family.local().isEmpty()) {
      if (given != 0 && given < contextLength) {
        throw new LlamaException(
            String.format(
                Locale.ROOT,
                "model: %s=%d, expected none, or the %d positions of %s: sliding windows of a %s are not supported",
                family.key(WINDOW),
                given,
                contextLength,
                family.key("context_length"),
                family.name()));
      }
      return Optional.empty();
    }
    LocalLayers usual = family.local().get();
    int window = given == 0 ? usual.window() : given;
    if (window == 0) {
      if (usual.period() != 0) {
        keys.bounded(WINDOW, contextLength); // refuses it
      }
      return Optional.empty();
    }
    OptionalDouble base = usual.ropeBase();
    if (keys.has(LOCAL_ROPE_BASE)) {
      base =
          OptionalDouble.of(
              keys.between(LOCAL_ROPE_BASE, LlamaConfig.MIN_ROPE_BASE, LlamaConfig.MAX_ROPE_BASE));
    }
    if (window >= contextLength && base.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(new LocalLayers(window, period(usual), base));
  }

  private int window() {
    long window = keys.integerOrUniformArray(WINDOW);
    return window == 0 ? 0 : keys.bounded(WINDOW, Integer.MAX_VALUE);
  }

  private int period(LocalLayers usual) {
    boolean given = keys.has(PATTERN) && keys.integerOrUniformArray(PATTERN) != 0;
    return given ? keys.bounded(PATTERN, GgufConfig.MAX_LAYERS) : usual.period();
  }
}

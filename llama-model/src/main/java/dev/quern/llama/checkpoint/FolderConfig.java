package dev.quern.llama.checkpoint;

import dev.quern.llama.text.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What the JSON beside a model's weights says about it: Hugging Face's `config.json`
/// (`LlamaConfig` of transformers, or that of another [Family]) or Meta's `params.json`
/// (`ModelArgs` of llama-models).
///
/// @param tied whether the embedding matrix is the output matrix too; empty where that follows from
///   which of them is there
/// @param spinQuant whether the down projection's input is rotated; empty where nothing is said
/// @param loraScale what adaptors are multiplied with
/// @param endTokens ids that end a generation
record FolderConfig(
    LlamaConfig model,
    Optional<Boolean> tied,
    Optional<Boolean> spinQuant,
    float loraScale,
    List<Long> endTokens) {
  static final String HUGGING_FACE = "config.json";
  static final String META = "params.json";

  /// Llama 3's original context, which its frequency scaling is relative to.
  private static final double LLAMA3_CONTEXT = 8192;

  static final int MAX_LAYERS = 4096;
  static final int MAX_HEADS = 1 << 16;
  private static final int MAX_DIM = 1 << 24;

  /// ExecuTorch's constant (`lora.py`), also Meta's value for Llama 3.2.
  private static final double LORA_SCALE = 2;

  private static final String EMBEDDING_MULTIPLIER = "embedding_multiplier";
  private static final String RESIDUAL_MULTIPLIER = "residual_multiplier";
  private static final String LOGITS_SCALING = "logits_scaling";
  private static final String FINAL_SOFT_CAP = "final_logit_softcapping";

  /// Keys of `config.json` of other models that change what is computed, with the value that does
  /// not. transformers passes over those that a `LlamaConfig` has no name for, and a model that was
  /// made with them speaks nonsense.
  private static final Map<String, Object> NEUTRAL =
      Map.ofEntries(
          Map.entry("mlp_bias", false),
          Map.entry("logit_scale", 1),
          Map.entry("clip_qkv", 0),
          Map.entry("use_qk_norm", false),
          Map.entry("qk_layernorm", false),
          Map.entry("use_parallel_residual", false),
          Map.entry("alibi", false),
          Map.entry("num_local_experts", 0),
          Map.entry("use_bidirectional_attention", false),
          Map.entry("num_experts", 0));

  /// The same, of families without a trait.
  private static final Map<Family.Trait, Map<String, Integer>> UNLESS =
      Map.of(
          Family.Trait.MULTIPLIERS,
          Map.of(EMBEDDING_MULTIPLIER, 1, RESIDUAL_MULTIPLIER, 1, LOGITS_SCALING, 1),
          Family.Trait.SOFT_CAPS,
          Map.of("attn_logit_softcapping", 0, FINAL_SOFT_CAP, 0));

  /// Reads `config.json`.
  ///
  /// @param name the model's, for people
  static FolderConfig huggingFace(JsonObject json, String name) {
    String type = json.string("model_type").orElse("");
    Family family =
        Family.byModelType(type)
            .orElseThrow(
                () -> json.fail("model_type", json.shown("model_type"), Family.allModelTypes()));
    checkActivation(json, family);
    for (String quantized : List.of("quantization_config", "quantization")) {
      if (json.has(quantized)) {
        throw json.fail(
            quantized, "a quantized model", "none: use the model in F16, BF16 or F32, or as GGUF");
      }
    }
    requireNeutral(json, "attention_bias", family.has(Family.Trait.ATTENTION_BIAS));
    NEUTRAL.forEach((key, value) -> requireNeutral(json, key, value));
    UNLESS.forEach((trait, keys) -> {
      if (!family.has(trait)) {
        keys.forEach((key, value) -> requireNeutral(json, key, value));
      }
    });
    int context = bounded(json, "max_position_embeddings", MAX_DIM);
    int layers = bounded(json, "num_hidden_layers", MAX_LAYERS);
    int width = bounded(json, "hidden_size", MAX_DIM);
    HuggingFaceAttention attention = new HuggingFaceAttention(json, family, type, layers, width);
    HuggingFaceRope rope = HuggingFaceRope.of(json, family, attention.headDim(), context);
    HuggingFaceRope.requireUnrotatedLayers(json, family, layers);
    return new FolderConfig(
        new LlamaConfig(
            family,
            json.string("_name_or_path").filter(n -> !n.isBlank()).orElse(name),
            layers,
            width,
            bounded(json, "intermediate_size", MAX_DIM),
            attention.read(rope.contextLength()),
            rope.contextLength(),
            epsilon(json, "rms_norm_eps", 1e-6),
            rope.shape(),
            multipliers(json, family, width),
            bounded(json, "vocab_size", MAX_DIM)),
        Optional.of(json.bool("tie_word_embeddings").orElse(family.defaults().tied())),
        spinQuant(json),
        loraScale(json),
        json.integers("eos_token_id"));
  }

  /// Reads `params.json`. It has neither the hidden width nor, in all files, the vocabulary, so
  /// both come from the tensors.
  ///
  /// @param hidden rows of `feed_forward.w1`
  /// @param vocabulary rows of the embedding matrix
  static FolderConfig meta(JsonObject json, String name, int hidden, int vocabulary) {
    int width = bounded(json, "dim", MAX_DIM);
    int heads = bounded(json, "n_heads", MAX_HEADS);
    int kvHeads = json.has("n_kv_heads") ? bounded(json, "n_kv_heads", MAX_HEADS) : heads;
    int headDim = headDim(json, "dim", "n_heads", width, heads);
    checkHeads(json, "n_kv_heads", heads, kvHeads, headDim);
    for (String other :
        List.of("moe_args", "vision_args", "attention_chunk_size", "nope_layer_interval")) {
      if (json.has(other)) {
        throw json.fail(other, "present", "a plain Llama for text");
      }
    }
    requireNeutral(json, "use_qk_norm", false);
    boolean scaled = json.bool("use_scaled_rope").orElse(false);
    return new FolderConfig(
        new LlamaConfig(
            Family.LLAMA,
            name,
            bounded(json, "n_layers", MAX_LAYERS),
            width,
            hidden,
            AttentionShape.of(heads, kvHeads, headDim),
            json.has("max_seq_len")
                ? bounded(json, "max_seq_len", MAX_DIM)
                : scaled ? 16 * (int) LLAMA3_CONTEXT : (int) LLAMA3_CONTEXT,
            epsilon(json, "norm_eps", 1e-5),
            metaRope(json, headDim, scaled),
            Multipliers.NONE,
            vocabulary),
        Optional.empty(),
        spinQuant(json),
        loraScale(json),
        List.of());
  }

  /// Meta's code takes the factor from the model's version, which the file does not state. The
  /// quantized models are all of version 3.2.
  private static RopeShape metaRope(JsonObject json, int headDim, boolean scaled) {
    double base = ropeBase(json, "rope_theta", LlamaConfig.DEFAULT_ROPE_BASE);
    if (!scaled) {
      return new RopeShape(headDim, base, RopeScaling.none());
    }
    String key = json.has("rope_scale_factor") ? "rope_scale_factor" : "rope_scaling_factor";
    if (!json.has(key) && !json.has("quantization_args")) {
      throw json.fail(
          key, "absent with use_scaled_rope", "the factor: add 8 for Llama 3.1, 32 for Llama 3.2");
    }
    RopeScaling scaling =
        RopeScaling.llama3(
            base,
            headDim,
            positive(json, key, 32),
            1,
            positive(json, "rope_high_freq_factor", 4),
            LLAMA3_CONTEXT);
    return new RopeShape(headDim, base, scaling);
  }

  /// Gemma's classes read `hidden_activation`, and pass over `hidden_act`.
  private static void checkActivation(JsonObject json, Family family) {
    if (family.has(Family.Trait.GELU)) {
      String activation = json.string("hidden_activation").orElse("gelu_pytorch_tanh");
      expect(json, "hidden_activation", "gelu_pytorch_tanh", activation);
    } else if (!json.string("hidden_act").orElse("swish").equals("swish")) { // a name of silu
      expect(json, "hidden_act", "silu", json.string("hidden_act").orElseThrow());
    }
  }

  /// What Gemma multiplies embeddings with follows from its shape.
  private static Multipliers multipliers(JsonObject json, Family family, int width) {
    if (family.has(Family.Trait.MULTIPLIERS)) {
      return new Multipliers(
          factor(json, EMBEDDING_MULTIPLIER, 1),
          factor(json, RESIDUAL_MULTIPLIER, 1),
          factor(json, LOGITS_SCALING, 1),
          0);
    }
    float embedding = family.has(Family.Trait.ROOT_WIDTH_EMBEDDINGS) ? (float) Math.sqrt(width) : 1;
    float cap =
        family.has(Family.Trait.SOFT_CAPS)
            ? softCap(json, FINAL_SOFT_CAP, GgufConfig.DEFAULT_LOGIT_CAP)
            : 0;
    return new Multipliers(embedding, 1, 1, cap);
  }

  /// A cap: null is none, and what is absent is `absent`.
  static float softCap(JsonObject json, String key, double absent) {
    return json.keys().contains(key) && !json.has(key) ? 0 : factor(json, key, absent);
  }

  static float factor(JsonObject json, String key, double absent) {
    double value = positive(json, key, absent);
    if (value < LlamaConfig.MIN_FACTOR || value > LlamaConfig.MAX_FACTOR) {
      throw json.fail(
          key,
          json.shown(key),
          String.format(Locale.ROOT, "%s to %s", LlamaConfig.MIN_FACTOR, LlamaConfig.MAX_FACTOR));
    }
    return (float) value;
  }

  private static Optional<Boolean> spinQuant(JsonObject json) {
    return json.object("quantization_args").flatMap(args -> args.bool("spinquant"));
  }

  private static float loraScale(JsonObject json) {
    return (float)
        json.object("lora_args")
            .map(args -> positive(args, "scale", LORA_SCALE))
            .orElse(LORA_SCALE)
            .doubleValue();
  }

  static int headDim(JsonObject json, String widthKey, String headsKey, int width, int heads) {
    if (!json.has("head_dim") && width % heads != 0) {
      throw json.fail(
          widthKey,
          Integer.toString(width),
          String.format(Locale.ROOT, "a multiple of %s=%d, or head_dim", headsKey, heads));
    }
    int headDim = json.has("head_dim") ? bounded(json, "head_dim", MAX_HEADS) : width / heads;
    if (headDim % 2 != 0) {
      throw json.fail("head_dim", Integer.toString(headDim), "an even number (RoPE rotates pairs)");
    }
    return headDim;
  }

  static void checkHeads(JsonObject json, String kvKey, int heads, int kvHeads, int headDim) {
    if (heads % kvHeads != 0) {
      throw json.fail(
          kvKey,
          Integer.toString(kvHeads),
          String.format(Locale.ROOT, "a divisor of the %d heads", heads));
    }
    if ((long) heads * headDim > MAX_DIM) {
      throw json.fail(
          "head_dim",
          String.format(Locale.ROOT, "%d heads of %d elements", heads, headDim),
          String.format(Locale.ROOT, "at most %d elements together", MAX_DIM));
    }
  }

  private static void expect(JsonObject json, String key, String expected, String actual) {
    if (!actual.equals(expected)) {
      throw json.fail(key, json.shown(key), String.format(Locale.ROOT, "'%s'", expected));
    }
  }

  static int bounded(JsonObject json, String key, int max) {
    long value = json.integer(key).orElseThrow(() -> json.fail(key, "absent", "1 to " + max));
    if (value < 1 || value > max) {
      throw json.fail(key, Long.toString(value), "1 to " + max);
    }
    return (int) value;
  }

  /// Refused unless it is absent, or has the value that changes nothing.
  private static void requireNeutral(JsonObject json, String key, Object neutral) {
    boolean same =
        !json.has(key)
            || (neutral instanceof Boolean flag
                ? json.bool(key).orElseThrow().equals(flag)
                : json.number(key).orElseThrow() == ((Number) neutral).doubleValue());
    if (!same) {
      throw json.fail(key, json.shown(key), neutral + ": Quern does not compute what it asks for");
    }
  }

  private static float epsilon(JsonObject json, String key, double absent) {
    double value = positive(json, key, absent);
    if (value < LlamaConfig.MIN_EPSILON || value > LlamaConfig.MAX_EPSILON) {
      throw json.fail(
          key,
          json.shown(key),
          String.format(Locale.ROOT, "%s to %s", LlamaConfig.MIN_EPSILON, LlamaConfig.MAX_EPSILON));
    }
    return (float) value;
  }

  static double ropeBase(JsonObject json, String key, double absent) {
    double value = positive(json, key, absent);
    if (value < LlamaConfig.MIN_ROPE_BASE || value > LlamaConfig.MAX_ROPE_BASE) {
      throw json.fail(
          key,
          json.shown(key),
          String.format(
              Locale.ROOT, "%s to %s", LlamaConfig.MIN_ROPE_BASE, LlamaConfig.MAX_ROPE_BASE));
    }
    return value;
  }

  private static double positive(JsonObject json, String key, double absent) {
    double value = json.number(key).orElse(absent);
    if (!(value > 0) || Double.isInfinite(value)) {
      throw json.fail(key, json.shown(key), "a positive finite number");
    }
    return value;
  }
}

package dev.quern.llama;

import dev.quern.llama.text.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What the JSON beside a model's weights says about it: Hugging Face's `config.json`
/// (`LlamaConfig` of transformers) or Meta's `params.json` (`ModelArgs` of llama-models).
///
/// @param ropeFactors divisors of RoPE's frequencies, `[headDim / 2]`, or empty
/// @param tied whether the embedding matrix is the output matrix too; empty where that follows from
///   which of them is there
/// @param spinQuant whether the down projection's input is rotated; empty where nothing is said
/// @param loraScale what adaptors are multiplied with
/// @param endTokens ids that end a generation
record FolderConfig(
    LlamaConfig model,
    float[] ropeFactors,
    Optional<Boolean> tied,
    Optional<Boolean> spinQuant,
    float loraScale,
    List<Long> endTokens) {
  static final String HUGGING_FACE = "config.json";
  static final String META = "params.json";

  /// Llama 3's original context, which its frequency scaling is relative to.
  private static final double LLAMA3_CONTEXT = 8192;

  private static final int MAX_LAYERS = 4096;
  private static final int MAX_HEADS = 1 << 16;
  private static final int MAX_DIM = 1 << 24;

  /// ExecuTorch's constant (`lora.py`), also Meta's value for Llama 3.2.
  private static final double LORA_SCALE = 2;

  /// Reads `config.json`.
  ///
  /// @param name the model's, for people
  static FolderConfig huggingFace(JsonObject json, String name) {
    expect(json, "model_type", "llama", json.string("model_type").orElse("absent"));
    expect(json, "hidden_act", "silu", json.string("hidden_act").orElse("silu"));
    for (String bias : List.of("attention_bias", "mlp_bias")) {
      if (json.bool(bias).orElse(false)) {
        throw json.fail(bias, "true", "false: a Llama as Quern runs it has no biases");
      }
    }
    if (json.has("quantization_config")) {
      throw json.fail(
          "quantization_config",
          "a quantised model",
          "none: use the model in F16, BF16 or F32, or as GGUF");
    }
    if (json.number("partial_rotary_factor").orElse(1) != 1) {
      throw json.fail("partial_rotary_factor", json.shown("partial_rotary_factor"), "1");
    }
    int width = bounded(json, "hidden_size", MAX_DIM);
    int heads = bounded(json, "num_attention_heads", MAX_HEADS);
    int kvHeads =
        json.has("num_key_value_heads") ? bounded(json, "num_key_value_heads", MAX_HEADS) : heads;
    int headDim = headDim(json, "hidden_size", "num_attention_heads", width, heads);
    checkHeads(json, "num_key_value_heads", heads, kvHeads, headDim);
    // transformers 5 moved rope_theta and rope_scaling into rope_parameters.
    JsonObject rope =
        json.object("rope_parameters").or(() -> json.object("rope_scaling")).orElse(null);
    JsonObject base = rope != null && rope.has("rope_theta") ? rope : json;
    double ropeBase = positive(base, "rope_theta", 10_000);
    RopeScaling scaling = RopeScaling.of(rope, ropeBase, headDim);
    return new FolderConfig(
        new LlamaConfig(
            json.string("_name_or_path").filter(n -> !n.isBlank()).orElse(name),
            bounded(json, "num_hidden_layers", MAX_LAYERS),
            width,
            bounded(json, "intermediate_size", MAX_DIM),
            heads,
            kvHeads,
            headDim,
            bounded(json, "max_position_embeddings", MAX_DIM),
            (float) positive(json, "rms_norm_eps", 1e-6),
            headDim,
            ropeBase,
            scaling.positionScale(),
            bounded(json, "vocab_size", MAX_DIM)),
        scaling.factors(),
        Optional.of(json.bool("tie_word_embeddings").orElse(false)),
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
    if (json.has("moe_args") || json.has("vision_args")) {
      throw json.fail(
          json.has("moe_args") ? "moe_args" : "vision_args", "present", "a plain Llama for text");
    }
    double ropeBase = positive(json, "rope_theta", 10_000);
    boolean scaled = json.bool("use_scaled_rope").orElse(false);
    return new FolderConfig(
        new LlamaConfig(
            name,
            bounded(json, "n_layers", MAX_LAYERS),
            width,
            hidden,
            heads,
            kvHeads,
            headDim,
            json.has("max_seq_len")
                ? bounded(json, "max_seq_len", MAX_DIM)
                : scaled ? 16 * (int) LLAMA3_CONTEXT : (int) LLAMA3_CONTEXT,
            (float) positive(json, "norm_eps", 1e-5),
            headDim,
            ropeBase,
            1,
            vocabulary),
        scaled ? metaFactors(json, ropeBase, headDim) : new float[0],
        Optional.empty(),
        spinQuant(json),
        loraScale(json),
        List.of());
  }

  /// Meta's code takes the factor from the model's version, which the file does not state. The
  /// quantised models are all of version 3.2.
  private static float[] metaFactors(JsonObject json, double ropeBase, int headDim) {
    String key = json.has("rope_scale_factor") ? "rope_scale_factor" : "rope_scaling_factor";
    if (!json.has(key) && !json.has("quantization_args")) {
      throw json.fail(
          key, "absent with use_scaled_rope", "the factor: add 8 for Llama 3.1, 32 for Llama 3.2");
    }
    return RopeScaling.llama3(
        ropeBase,
        headDim,
        positive(json, key, 32),
        1,
        positive(json, "rope_high_freq_factor", 4),
        LLAMA3_CONTEXT);
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

  private static int headDim(
      JsonObject json, String widthKey, String headsKey, int width, int heads) {
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

  private static void checkHeads(
      JsonObject json, String kvKey, int heads, int kvHeads, int headDim) {
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

  private static int bounded(JsonObject json, String key, int max) {
    long value = json.integer(key).orElseThrow(() -> json.fail(key, "absent", "1 to " + max));
    if (value < 1 || value > max) {
      throw json.fail(key, Long.toString(value), "1 to " + max);
    }
    return (int) value;
  }

  private static double positive(JsonObject json, String key, double absent) {
    double value = json.number(key).orElse(absent);
    if (!(value > 0) || Double.isInfinite(value)) {
      throw json.fail(key, json.shown(key), "a positive finite number");
    }
    return value;
  }
}

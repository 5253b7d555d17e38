package dev.quern.llama.checkpoint;

import dev.quern.llama.text.JsonObject;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.IntStream;

/// A model's attention as `config.json` states it. What it leaves out is what transformers has for
/// the family's class.
///
/// @param type `model_type`
/// @param layers of the model
/// @param width elements of the residual stream
record HuggingFaceAttention(JsonObject json, Family family, String type, int layers, int width) {
  private static final String WINDOW = "sliding_window";
  private static final String LAYER_TYPES = "layer_types";
  private static final String PATTERN = "sliding_window_pattern";
  private static final String LOCAL_ROPE_BASE = "rope_local_base_freq";

  /// Model types of which `num_key_value_heads` may be left out, for as many as there are heads.
  private static final Set<String> KEY_HEADS_OF_HEADS = Set.of("llama", "phi3");

  private static final double DEFAULT_QUERY_SCALAR = 256;

  /// @param context positions that the model is for
  AttentionShape read(int context) {
    int heads = heads();
    int kvHeads =
        json.has("num_key_value_heads") || !KEY_HEADS_OF_HEADS.contains(type)
            ? FolderConfig.bounded(json, "num_key_value_heads", FolderConfig.MAX_HEADS)
            : heads;
    int headDim = headDim();
    FolderConfig.checkHeads(json, "num_key_value_heads", heads, kvHeads, headDim);
    return new AttentionShape(heads, kvHeads, headDim, scale(headDim), softCap(), local(context));
  }

  private int heads() {
    return FolderConfig.bounded(json, "num_attention_heads", FolderConfig.MAX_HEADS);
  }

  /// Elements of a head.
  int headDim() {
    return json.has("head_dim") || family.defaults().headDim().isEmpty()
        ? FolderConfig.headDim(json, "hidden_size", "num_attention_heads", width, heads())
        : family.defaults().headDim().getAsInt();
  }

  /// Granite states the factor itself, Gemma what it is one over the root of.
  private float scale(int headDim) {
    if (family.has(Family.Trait.MULTIPLIERS)) {
      return FolderConfig.factor(json, "attention_multiplier", 1);
    }
    if (family.has(Family.Trait.ATTENTION_SCALE)) {
      requireScale("attention_multiplier", 1 / Math.sqrt(headDim));
      return AttentionShape.rootScale(
          FolderConfig.factor(json, "query_pre_attn_scalar", DEFAULT_QUERY_SCALAR));
    }
    requireScale("attention_multiplier", 1 / Math.sqrt(headDim));
    requireScale("query_pre_attn_scalar", headDim);
    return AttentionShape.rootScale(headDim);
  }

  private void requireScale(String key, double expected) {
    double value = json.number(key).orElse(expected);
    if (!(Math.abs(value - expected) < 1e-5 * expected)) {
      throw json.fail(key, json.shown(key), expected + ", as the elements of a head have it");
    }
  }

  private float softCap() {
    return family.has(Family.Trait.SOFT_CAPS)
        ? FolderConfig.softCap(json, "attn_logit_softcapping", GgufAttention.DEFAULT_SOFT_CAP)
        : 0;
  }

  /// The classes of Llama and Granite know no window, and Qwen's is not supported.
  private Optional<LocalLayers> local(int context) {
    if (family.local().isEmpty() || type.equals("llama")) {
      if (json.integer(WINDOW).orElse(context) < context
          && json.bool("use_sliding_window").orElse(true)) {
        throw json.fail(
            WINDOW,
            json.shown(WINDOW),
            "none: sliding windows of a " + type + " are not supported");
      }
      return Optional.empty();
    }
    LocalLayers usual = family.local().get();
    int absent = family.defaults().window();
    boolean none = !json.has(WINDOW) && (absent == 0 || json.keys().contains(WINDOW)); // or null
    if (none && usual.period() == 0) {
      return Optional.empty();
    }
    int window = json.has(WINDOW) ? FolderConfig.bounded(json, WINDOW, Integer.MAX_VALUE) : absent;
    if (window >= context && usual.ropeBase().isEmpty()) {
      return Optional.empty(); // no query fills it
    }
    OptionalDouble base = usual.ropeBase();
    if (base.isPresent() && json.has(LOCAL_ROPE_BASE)) {
      base = OptionalDouble.of(FolderConfig.ropeBase(json, LOCAL_ROPE_BASE, base.getAsDouble()));
    }
    return Optional.of(new LocalLayers(window, period(usual), base));
  }

  private int period(LocalLayers usual) {
    Optional<List<?>> types = json.array(LAYER_TYPES);
    if (types.isPresent()) {
      return IntStream.rangeClosed(0, layers + 1)
          .filter(period -> types.get().equals(types(period)))
          .findFirst()
          .orElseThrow(() ->
              json.fail(
                  LAYER_TYPES,
                  json.shown(LAYER_TYPES),
                  layers
                      + " of sliding_attention, or each nth of them full_attention and no other"));
    }
    return usual.period() != 0 && json.has(PATTERN)
        ? FolderConfig.bounded(json, PATTERN, FolderConfig.MAX_LAYERS)
        : usual.period();
  }

  /// What `layer_types` says of a period.
  private List<String> types(int period) {
    LocalLayers pattern = new LocalLayers(1, period, OptionalDouble.empty());
    return IntStream.range(0, layers)
        .mapToObj(l -> pattern.contains(l) ? "sliding_attention" : "full_attention")
        .toList();
  }
}

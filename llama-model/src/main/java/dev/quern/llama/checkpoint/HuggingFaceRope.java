package dev.quern.llama.checkpoint;

import dev.quern.llama.checkpoint.RopeScaling.DynamicNtk;
import dev.quern.llama.checkpoint.RopeScaling.Linear;
import dev.quern.llama.checkpoint.RopeScaling.LongRope;
import dev.quern.llama.checkpoint.RopeScaling.Yarn;
import dev.quern.llama.text.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.IntStream;

/// RoPE as `config.json` states it: `rope_theta` and `rope_scaling`, or, since transformers 5, both
/// in `rope_parameters`. Files that have both spellings must mean the same by them. What the
/// scalings compute, and what they leave out, is in transformers' `modeling_rope_utils.py`.
///
/// @param shape what is turned
/// @param contextLength positions that the model is for: `max_position_embeddings`, or what a
///   scaling makes of the original context where that is more. A model card's YaRN is added to a
///   file that still has the context without it
record HuggingFaceRope(RopeShape shape, int contextLength) {
  private static final String ORIGINAL = "original_max_position_embeddings";
  private static final String ATTENTION_FACTOR = "attention_factor";

  /// Members that any scaling may have; `finetuned` is a note.
  private static final Set<String> COMMON =
      Set.of(
          "rope_type",
          "type",
          "rope_theta",
          "partial_rotary_factor",
          "factor",
          "low_freq_factor",
          "high_freq_factor",
          "finetuned",
          ORIGINAL);

  private static final Set<String> YARN =
      Set.of("beta_fast", "beta_slow", "truncate", ATTENTION_FACTOR);
  private static final Set<String> LONG_ROPE =
      Set.of("short_factor", "long_factor", ATTENTION_FACTOR);

  private static final Map<String, Set<String>> OWN =
      Map.of("yarn", YARN, "longrope", LONG_ROPE, "su", LONG_ROPE);

  private static final double MAX = 1e9; // also of a context

  /// @param headDim elements of a head
  /// @param context `max_position_embeddings`
  static HuggingFaceRope of(JsonObject json, Family family, int headDim, int context) {
    Optional<JsonObject> parameters = json.object("rope_parameters");
    Optional<JsonObject> scaling = json.object("rope_scaling");
    JsonObject holder = parameters.or(() -> scaling).filter(r -> r.has("rope_theta")).orElse(json);
    double absent = family.defaults().ropeBase();
    double base = FolderConfig.ropeBase(holder, "rope_theta", absent);
    if (json.has("rope_theta") && FolderConfig.ropeBase(json, "rope_theta", absent) != base) {
      throw json.fail("rope_theta", json.shown("rope_theta"), base + " as in rope_parameters");
    }
    int dim =
        dim(parameters.filter(p -> p.has("partial_rotary_factor")).orElse(json), family, headDim);
    RopeScaling old = scaling(json, scaling.orElse(null), base, dim, context);
    RopeScaling now = scaling(json, parameters.or(() -> scaling).orElse(null), base, dim, context);
    if (scaling.isPresent() && !old.equals(now)) {
      throw json.fail("rope_scaling", "another scaling", "that of rope_parameters");
    }
    return new HuggingFaceRope(new RopeShape(dim, base, now), stretched(now, context));
  }

  /// Which layers have no RoPE follows from the family: GGUF has no key for it.
  static void requireUnrotatedLayers(JsonObject json, Family family, int layers) {
    int period = family.unrotatedPeriod();
    if (json.has("no_rope_layers")) { // 1: has RoPE
      List<Long> expected =
          IntStream.rangeClosed(1, layers)
              .mapToObj(l -> period == 0 || l % period != 0 ? 1L : 0L)
              .toList();
      if (!json.integers("no_rope_layers").equals(expected)) {
        throw json.fail("no_rope_layers", "other layers", expected.toString());
      }
    } else if (json.integer("no_rope_layer_interval").orElse(period) != period) {
      throw json.fail(
          "no_rope_layer_interval",
          json.shown("no_rope_layer_interval"),
          period == 0 ? "none" : Integer.toString(period));
    }
  }

  /// Elements of a head that are turned (`int(head_dim * partial_rotary_factor)`).
  private static int dim(JsonObject json, Family family, int headDim) {
    String key = "partial_rotary_factor";
    double part = json.number(key).orElse(1);
    if (part == 1) {
      return headDim;
    }
    if (!family.rotatesPartsInHalves()) {
      throw json.fail(key, json.shown(key), "1: Quern does not compute what it asks for");
    }
    int dim = part > 0 && part < 1 ? (int) (headDim * part) : 0;
    if (dim == 0 || dim % 2 != 0) {
      throw json.fail(
          key,
          json.shown(key),
          String.format(Locale.ROOT, "an even number of a head's %d elements", headDim));
    }
    return dim;
  }

  private static int stretched(RopeScaling scaling, int context) {
    double positions =
        switch (scaling) {
          case Yarn yarn -> yarn.factor() * yarn.originalContext();
          case DynamicNtk ntk -> ntk.factor() * ntk.originalContext();
          default -> 0;
        };
    return (int) Math.clamp(positions, context, LlamaConfig.MAX_CONTEXT);
  }

  /// @param rope `rope_scaling` or `rope_parameters`; null where there is none
  private static RopeScaling scaling(
      JsonObject json, JsonObject rope, double base, int dim, int context) {
    if (rope == null) {
      return RopeScaling.none();
    }
    String key = rope.has("rope_type") ? "rope_type" : "type"; // older files have `type`
    String type = rope.string(key).orElse("default");
    if (rope.has("type") && !rope.string("type").equals(Optional.of(type))) {
      throw rope.fail("type", rope.shown("type"), "the same as rope_type, " + rope.shown(key));
    }
    for (String name : rope.keys()) {
      checkMember(rope, name, OWN.getOrDefault(type, Set.of()));
    }
    if (!rope.has(key) && rope.has("factor")) {
      throw rope.fail("factor", rope.shown("factor"), "a rope_type that says what it means");
    }
    return switch (type) {
      case "default" -> RopeScaling.none();
      case "linear" -> new Linear(positive(rope, "factor"));
      case "llama3" -> llama3(rope, base, dim);
      case "yarn" -> yarn(rope, context);
      case "longrope", "su" -> longRope(json, rope, dim, context);
      case "dynamic" -> new DynamicNtk(positive(rope, "factor"), positive(rope, ORIGINAL, context));
      default ->
          throw rope.fail(
              key, rope.shown(key), "default, linear, llama3, yarn, longrope or dynamic");
    };
  }

  private static RopeScaling llama3(JsonObject rope, double base, int dim) {
    double low = positive(rope, "low_freq_factor");
    double high = positive(rope, "high_freq_factor");
    if (low >= high) {
      throw rope.fail("low_freq_factor", "" + low, "less than high_freq_factor=" + high);
    }
    double context = positive(rope, ORIGINAL);
    return RopeScaling.llama3(base, dim, positive(rope, "factor"), low, high, context);
  }

  private static RopeScaling yarn(JsonObject rope, int context) {
    if (!rope.bool("truncate").orElse(true)) {
      throw rope.fail("truncate", "false", "true: Quern does not compute what it asks for");
    }
    double factor = positive(rope, "factor");
    return new Yarn(
        factor,
        positive(rope, ORIGINAL, context),
        positive(rope, "beta_fast", Yarn.BETA_FAST),
        positive(rope, "beta_slow", Yarn.BETA_SLOW),
        1,
        positive(rope, ATTENTION_FACTOR, Yarn.magnitude(factor)));
  }

  /// Phi's files have the original context beside `rope_scaling`, and the factor follows from it.
  private static RopeScaling longRope(JsonObject json, JsonObject rope, int dim, int context) {
    JsonObject holder = rope.has(ORIGINAL) ? rope : json;
    double original = positive(holder, ORIGINAL, context);
    double factor = holder.has(ORIGINAL) ? context / original : positive(rope, "factor");
    return new LongRope(
        divisors(rope, "short_factor", dim),
        divisors(rope, "long_factor", dim),
        (int) original,
        (float) positive(rope, ATTENTION_FACTOR, LongRope.magnitude(factor, original))); // as GGUF
  }

  private static List<Float> divisors(JsonObject rope, String key, int dim) {
    List<?> numbers = rope.array(key).orElseThrow(() -> rope.fail(key, "absent", "an array"));
    if (numbers.size() != dim / 2) {
      throw rope.fail(key, numbers.size() + " numbers", dim / 2 + ", one for each pair of a head");
    }
    return numbers.stream()
        .map(number -> {
          if (number instanceof Number n
              && n.doubleValue() >= LlamaConfig.MIN_ROPE_FACTOR
              && n.doubleValue() <= LlamaConfig.MAX_ROPE_FACTOR) {
            return n.floatValue();
          }
          throw rope.fail(key, "an array with " + number, "positive finite numbers");
        })
        .toList();
  }

  /// A member that nobody reads might change the angles.
  private static void checkMember(JsonObject rope, String name, Set<String> own) {
    if (own.contains(name)) {
      return;
    }
    if (name.equals(ATTENTION_FACTOR)) {
      if (rope.number(name).orElse(1) != 1) {
        throw rope.fail(name, rope.shown(name), "1: Quern does not compute what it asks for");
      }
    } else if (rope.has(name) && !COMMON.contains(name)) {
      throw rope.fail(name, rope.shown(name), "none of that name");
    }
  }

  private static double positive(JsonObject rope, String key, double absent) {
    return rope.has(key) ? positive(rope, key) : absent;
  }

  private static double positive(JsonObject rope, String key) {
    OptionalDouble number = rope.number(key);
    double value = number.orElseThrow(() -> rope.fail(key, "absent", "a number"));
    if (!(value >= LlamaConfig.MIN_ROPE_FACTOR && value <= MAX)) {
      throw rope.fail(
          key,
          rope.shown(key),
          "a positive finite number, " + LlamaConfig.MIN_ROPE_FACTOR + " to " + MAX);
    }
    return value;
  }
}

package dev.quern.llama.checkpoint;

import dev.quern.llama.text.JsonObject;
import java.util.Optional;
import java.util.Set;

/// How a model stretches RoPE over more positions than it was first trained for.
///
/// @param positionScale factor on positions (linear scaling); 1 where there is none
/// @param factors divisors of the frequencies, `[headDim / 2]`, or empty
record RopeScaling(double positionScale, float[] factors) {

  private static final Set<String> MEMBERS =
      Set.of(
          "rope_type",
          "type",
          "rope_theta",
          "factor",
          "low_freq_factor",
          "high_freq_factor",
          "original_max_position_embeddings");
  private static final Set<String> FACTORS = Set.of("partial_rotary_factor", "attention_factor");
  private static final double MAX = 1e9; // also of a context

  /// @param rope `rope_scaling` or `rope_parameters` of `config.json`; null where there is none
  static RopeScaling of(JsonObject rope, double base, int headDim) {
    if (rope == null) {
      return new RopeScaling(1, new float[0]);
    }
    String key = rope.has("rope_type") ? "rope_type" : "type"; // older files have `type`
    String type = rope.string(key).orElse("default");
    if (rope.has("type") && !rope.string("type").equals(Optional.of(type))) {
      throw rope.fail("type", rope.shown("type"), "the same as rope_type, " + rope.shown(key));
    }
    for (String name : rope.keys()) {
      checkMember(rope, name);
    }
    if (!rope.has(key) && rope.has("factor")) {
      throw rope.fail("factor", rope.shown("factor"), "a rope_type that says what it means");
    }
    return switch (type) {
      case "default" -> new RopeScaling(1, new float[0]);
      case "linear" -> new RopeScaling(1 / positive(rope, "factor"), new float[0]);
      case "llama3" -> {
        double low = positive(rope, "low_freq_factor");
        double high = positive(rope, "high_freq_factor");
        if (low >= high) {
          throw rope.fail("low_freq_factor", "" + low, "less than high_freq_factor=" + high);
        }
        double context = positive(rope, "original_max_position_embeddings");
        double factor = positive(rope, "factor");
        yield new RopeScaling(1, llama3(base, headDim, factor, low, high, context));
      }
      default -> throw rope.fail(key, rope.shown(key), "default, linear or llama3");
    };
  }

  /// Llama 3's frequency scaling (`_compute_llama3_parameters` of transformers): waves that are
  /// short against the original context stay, long ones are stretched by `factor`, those between
  /// are blended.
  static float[] llama3(
      double base, int headDim, double factor, double low, double high, double context) {
    float[] factors = new float[headDim / 2];
    for (int i = 0; i < factors.length; i++) {
      double wavelength = 2 * Math.PI * Math.pow(base, 2.0 * i / headDim);
      double turns = context / wavelength; // of the original context
      double keep = Math.clamp((turns - low) / (high - low), 0.0, 1.0);
      factors[i] = (float) (1 / ((1 - keep) / factor + keep));
    }
    return factors;
  }

  /// A member that nobody reads might change the angles.
  private static void checkMember(JsonObject rope, String name) {
    if (FACTORS.contains(name)) {
      if (rope.number(name).orElse(1) != 1) {
        throw rope.fail(name, rope.shown(name), "1: Quern does not compute what it asks for");
      }
    } else if (rope.has(name) && !MEMBERS.contains(name)) {
      throw rope.fail(name, rope.shown(name), "none of that name");
    }
  }

  private static double positive(JsonObject rope, String key) {
    double value = rope.number(key).orElseThrow(() -> rope.fail(key, "absent", "a number"));
    if (!(value >= LlamaConfig.MIN_ROPE_FACTOR && value <= MAX)) {
      throw rope.fail(
          key,
          rope.shown(key),
          "a positive finite number, " + LlamaConfig.MIN_ROPE_FACTOR + " to " + MAX);
    }
    return value;
  }
}

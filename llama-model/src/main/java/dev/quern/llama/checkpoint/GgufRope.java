package dev.quern.llama.checkpoint;

import dev.quern.llama.checkpoint.RopeScaling.Divisors;
import dev.quern.llama.checkpoint.RopeScaling.DynamicNtk;
import dev.quern.llama.checkpoint.RopeScaling.Linear;
import dev.quern.llama.checkpoint.RopeScaling.LongRope;
import dev.quern.llama.checkpoint.RopeScaling.Yarn;
import dev.quern.llama.error.LlamaException;
import dev.quern.llama.gguf.GgufWriter;
import dev.quern.llama.text.Printable;
import dev.quern.op.RopePairing;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// RoPE as GGUF states it, by keys and tensors; what they mean together is llama.cpp's reading.
///
/// @param keys all of the metadata
/// @param tensors those of [RopeScaling#tensorNames()] that the file has
/// @param headDim elements of a head
/// @param contextLength positions that the model was trained for
record GgufRope(
    GgufConfig keys,
    Family family,
    Map<String, List<Float>> tensors,
    int headDim,
    int contextLength) {
  private static final String DIM = "rope.dimension_count";
  private static final String BASE = "rope.freq_base";
  private static final String TYPE = "rope.scaling.type";
  private static final String FACTOR = "rope.scaling.factor";
  private static final String CONTEXT = "rope.scaling.original_context_length";
  private static final String MAGNITUDE = "rope.scaling.attn_factor";
  private static final String EXTRAPOLATION = "rope.scaling.yarn_ext_factor";
  private static final String BETA_FAST = "rope.scaling.yarn_beta_fast";
  private static final String BETA_SLOW = "rope.scaling.yarn_beta_slow";

  /// The factor on positions, by its present name and an older one, as llama.cpp looks for it.
  private static final List<String> FACTORS = List.of(FACTOR, "rope.scale_linear");

  private static final String LONG_ROPE = "longrope";
  private static final double MAX_BETA = 1e6;
  private static final double MIN_MAGNITUDE = 1e-3;
  private static final double MAX_MAGNITUDE = 1e3;

  /// Writes what [#read] reads, but for the tensors.
  ///
  /// @throws LlamaException for a scaling that GGUF has no keys for
  static void write(LlamaConfig model, GgufWriter writer) {
    Family family = model.family();
    RopeShape rope = model.rope();
    writer.uint32(family.key(DIM), rope.dim()).float32(family.key(BASE), (float) rope.base());
    switch (rope.scaling()) {
      case Linear(double factor) -> {
        if (factor != 1) {
          writer.string(family.key(TYPE), "linear").float32(family.key(FACTOR), (float) factor);
        }
      }
      case Divisors _ -> {}
      case Yarn yarn ->
          writer
              .string(family.key(TYPE), "yarn")
              .float32(family.key(FACTOR), (float) yarn.factor())
              .uint32(family.key(CONTEXT), (int) yarn.originalContext())
              .float32(family.key(BETA_FAST), (float) yarn.betaFast())
              .float32(family.key(BETA_SLOW), (float) yarn.betaSlow())
              .float32(family.key(EXTRAPOLATION), (float) yarn.extrapolation())
              .float32(
                  family.key(MAGNITUDE),
                  (float) (yarn.magnitude() / paperMagnitude(yarn.factor(), yarn.extrapolation())));
      case LongRope longRope ->
          writer
              .string(family.key(TYPE), LONG_ROPE)
              .uint32(family.key(CONTEXT), longRope.originalContext())
              .float32(family.key(MAGNITUDE), (float) longRope.magnitude());
      case DynamicNtk _ ->
          throw new LlamaException(
              "model: dynamic NTK scaling of RoPE, expected one that GGUF has keys for: use the folder as it is");
    }
  }

  RopeShape read() {
    double base =
        keys.has(BASE)
            ? keys.between(BASE, LlamaConfig.MIN_ROPE_BASE, LlamaConfig.MAX_ROPE_BASE)
            : LlamaConfig.DEFAULT_ROPE_BASE;
    int dim = dim();
    RopeScaling scaling = scaling(dim);
    if (!(scaling instanceof Yarn || scaling instanceof LongRope)) {
      require(MAGNITUDE, 1.0);
    }
    if (!(scaling instanceof Yarn)) {
      require(EXTRAPOLATION, 0.0, -1.0); // -1: as the type has it
    }
    return new RopeShape(dim, base, scaling);
  }

  private int dim() {
    if (!keys.has(DIM)) {
      return headDim;
    }
    int dim = GgufConfig.even(family.key(DIM), keys.bounded(DIM, headDim));
    if (dim != headDim
        && family.pairing() == RopePairing.HALF_SPLIT
        && !family.rotatesPartsInHalves()) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%d, expected %d, the elements of a head",
              family.key(DIM),
              dim,
              headDim));
    }
    return dim;
  }

  /// A factor without a type is linear, with the type none it counts for nothing, and Phi-3's files
  /// have LongRoPE's tensors and no type.
  private RopeScaling scaling(int dim) {
    String type = keys.metadata().string(family.key(TYPE)).orElse("linear");
    boolean longRope =
        type.equals(LONG_ROPE)
            || !keys.has(TYPE)
                && family.equals(Family.PHI3)
                && tensors.containsKey(RopeScaling.LONG_DIVISORS);
    RopeScaling scaling =
        switch (longRope ? LONG_ROPE : type) {
          case "none" -> new Linear(1);
          case "linear" -> new Linear(factor(1));
          case "yarn" -> yarn();
          case LONG_ROPE -> longRope(dim);
          default ->
              throw new LlamaException(
                  String.format(
                      Locale.ROOT,
                      "model: %s is %s, expected none, linear, yarn or longrope (Llama 3's scaling comes as the tensor %s)",
                      family.key(TYPE),
                      Printable.quoted(type),
                      RopeScaling.DIVISORS));
        };
    return tensors.containsKey(RopeScaling.DIVISORS) ? divided(scaling, dim) : scaling;
  }

  /// Llama 3's divisors on top, which a linear factor multiplies.
  private RopeScaling divided(RopeScaling scaling, int dim) {
    List<Float> divisors = divisors(RopeScaling.DIVISORS, dim);
    if (!(scaling instanceof Linear(double factor))) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s beside the tensor %s, expected one scaling of RoPE",
              family.key(TYPE),
              RopeScaling.DIVISORS));
    }
    return new Divisors(divisors.stream().map(d -> (float) (d * factor)).toList());
  }

  private RopeScaling yarn() {
    double factor = factor(0);
    if (factor == 0) {
      keys.between(FACTOR, LlamaConfig.MIN_ROPE_FACTOR, LlamaConfig.MAX_ROPE_FACTOR);
    }
    double extrapolation = keys.number(EXTRAPOLATION).orElse(-1);
    extrapolation = extrapolation < 0 ? 1 : keys.between(EXTRAPOLATION, 0, 1);
    return new Yarn(
        factor,
        originalContext(),
        positive(BETA_FAST, MAX_BETA, Yarn.BETA_FAST),
        positive(BETA_SLOW, MAX_BETA, Yarn.BETA_SLOW),
        extrapolation,
        magnitude() * paperMagnitude(factor, extrapolation));
  }

  /// What llama.cpp multiplies `attn_factor` with: nothing without a ramp.
  private static double paperMagnitude(double factor, double extrapolation) {
    return extrapolation == 0 ? 1 : Yarn.magnitude(factor);
  }

  private RopeScaling longRope(int dim) {
    require(FACTOR, 1.0, 0.0);
    require(FACTORS.getLast(), 1.0, 0.0);
    return new LongRope(
        divisors(RopeScaling.SHORT_DIVISORS, dim),
        divisors(RopeScaling.LONG_DIVISORS, dim),
        originalContext(),
        magnitude());
  }

  private List<Float> divisors(String name, int dim) {
    List<Float> divisors = tensors.get(name);
    if (divisors == null) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: tensor %s is missing, expected it with %s %s",
              name,
              family.key(TYPE),
              LONG_ROPE));
    }
    if (divisors.size() != dim / 2) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: tensor %s is [%d], expected [%d] (row length first)",
              name,
              divisors.size(),
              dim / 2));
    }
    for (float divisor : divisors) {
      if (!(divisor >= LlamaConfig.MIN_ROPE_FACTOR && divisor <= LlamaConfig.MAX_ROPE_FACTOR)) {
        throw new LlamaException(
            String.format(
                Locale.ROOT,
                "model: tensor %s holds %s, expected positive finite numbers",
                name,
                divisor));
      }
    }
    return divisors;
  }

  private double factor(double absent) {
    for (String key : FACTORS) {
      if (keys.number(key).orElse(0) != 0) { // 0: not set
        return keys.between(key, LlamaConfig.MIN_ROPE_FACTOR, LlamaConfig.MAX_ROPE_FACTOR);
      }
    }
    return absent;
  }

  private int originalContext() {
    return keys.has(CONTEXT) ? keys.bounded(CONTEXT, LlamaConfig.MAX_CONTEXT) : contextLength;
  }

  private double magnitude() {
    return keys.has(MAGNITUDE) ? keys.between(MAGNITUDE, MIN_MAGNITUDE, MAX_MAGNITUDE) : 1;
  }

  private double positive(String key, double max, double absent) {
    return keys.has(key) ? keys.between(key, 1 / max, max) : absent;
  }

  /// A number that the scaling has no use for: refused unless it changes nothing.
  ///
  /// @param neutral values that do not, the first for messages
  private void require(String key, Double... neutral) {
    double value = keys.number(key).orElse(neutral[0]);
    if (!List.of(neutral).contains(value)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: %s=%s, expected %s, or none: it means nothing beside this scaling of RoPE",
              family.key(key),
              value,
              neutral[0]));
    }
  }
}

package dev.quern.measure.synthetic;

import dev.quern.llama.checkpoint.Family;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The dimensions of a Llama 3.2 model (`params.json` of Meta's releases) or one of another family
/// (`config.json` of Qwen2.5-0.5B, Qwen3-0.6B, Gemma 2 2B, Gemma 3 1B and Granite 3.1 2B), and
/// small ones for tests. Embeddings are tied: one matrix embeds and unembeds.
///
/// @param name as users write it
/// @param family which decides what a layer has besides
/// @param layers transformer blocks
/// @param width elements of the residual stream
/// @param hidden elements of the feed-forward network's inner layer
/// @param heads query heads
/// @param kvHeads key/value heads
/// @param headDim elements of a head
/// @param contextLength positions
/// @param vocabulary tokens, the 256 bytes and 256 special ones among them
public record ModelShape(
    String name,
    Family family,
    int layers,
    int width,
    int hidden,
    int heads,
    int kvHeads,
    int headDim,
    int contextLength,
    int vocabulary) {
  private static final float ROPE_BASE = 500_000;
  private static final float OTHERS_ROPE_BASE = 1_000_000;

  private static final List<ModelShape> TABLE =
      List.of(
          new ModelShape("llama-3.2-1b", Family.LLAMA, 16, 2048, 8192, 32, 8, 64, 131_072, 128_256),
          new ModelShape(
              "llama-3.2-3b", Family.LLAMA, 28, 3072, 8192, 24, 8, 128, 131_072, 128_256),
          new ModelShape("qwen2.5-0.5b", Family.QWEN2, 24, 896, 4864, 14, 2, 64, 32_768, 151_936),
          new ModelShape("qwen3-0.6b", Family.QWEN3, 28, 1024, 3072, 16, 8, 128, 40_960, 151_936),
          new ModelShape("gemma-2-2b", Family.GEMMA2, 26, 2304, 9216, 8, 4, 256, 8192, 256_000),
          new ModelShape("gemma-3-1b", Family.GEMMA3, 26, 1152, 6912, 4, 1, 256, 32_768, 262_144),
          new ModelShape(
              "granite-3.1-2b", Family.GRANITE, 40, 2048, 8192, 32, 8, 64, 131_072, 49_155),
          new ModelShape("tiny", Family.LLAMA, 2, 256, 768, 4, 2, 64, 8192, 1024),
          new ModelShape("tiny-qwen2", Family.QWEN2, 2, 256, 768, 4, 2, 64, 8192, 1024),
          new ModelShape("tiny-qwen3", Family.QWEN3, 2, 256, 768, 4, 2, 128, 8192, 1024),
          new ModelShape("tiny-gemma2", Family.GEMMA2, 2, 256, 768, 4, 2, 128, 8192, 1024),
          new ModelShape("tiny-gemma3", Family.GEMMA3, 7, 256, 768, 4, 1, 128, 8192, 1024),
          new ModelShape("tiny-granite", Family.GRANITE, 2, 256, 768, 4, 2, 64, 8192, 1024));

  /// Keys of GGUF that the shapes do not follow from, as the models' files have them.
  private static final Map<Family, Map<String, Float>> NUMBERS =
      Map.of(
          Family.GEMMA2,
          Map.of("attn_logit_softcapping", 50f, "final_logit_softcapping", 30f),
          Family.GRANITE,
          Map.of(
              "embedding_scale", 12f,
              "residual_scale", 0.22f,
              "attention.scale", 0.015625f,
              "logit_scale", 8f));

  private static final Map<Family, Integer> WINDOWS =
      Map.of(Family.GEMMA2, 4096, Family.GEMMA3, 512);

  private static final Map<Family, Float> ROPE_BASES =
      Map.of(Family.LLAMA, ROPE_BASE, Family.GEMMA2, 10_000f, Family.GRANITE, 5_000_000f);

  // Llama 3.2's rope_scaling of config.json.
  private static final double ROPE_FACTOR = 32;
  private static final double LOW_FREQUENCY_FACTOR = 1;
  private static final double HIGH_FREQUENCY_FACTOR = 4;
  private static final double ORIGINAL_CONTEXT = 8192;

  /// The shape of that name, if there is one.
  public static Optional<ModelShape> byName(String name) {
    return TABLE.stream().filter(s -> s.name.equals(name)).findFirst();
  }

  /// All names, for messages.
  public static List<String> names() {
    return TABLE.stream().map(ModelShape::name).toList();
  }

  float ropeBase() {
    return ROPE_BASES.getOrDefault(family, OTHERS_ROPE_BASE);
  }

  /// Factors and caps, by GGUF's keys without the architecture.
  Map<String, Float> numbers() {
    return NUMBERS.getOrDefault(family, Map.of());
  }

  /// Positions that a query of a local layer sees, where the family has such layers.
  Optional<Integer> window() {
    return Optional.ofNullable(WINDOWS.get(family));
  }

  /// Whether it has Llama 3's frequency scaling.
  boolean isLlama() {
    return family.equals(Family.LLAMA);
  }

  int queryWidth() {
    return heads * headDim;
  }

  int kvWidth() {
    return kvHeads * headDim;
  }

  /// Llama 3's frequency divisors, which GGUF stores as `rope_freqs.weight` (`apply_scaling` in
  /// Meta's `model.py`): 1 for short wavelengths, 32 for long ones, and a blend between.
  ///
  /// @return `[headDim / 2]`
  float[] ropeFactors() {
    float[] factors = new float[headDim / 2];
    for (int i = 0; i < factors.length; i++) {
      double wavelength = 2 * Math.PI * Math.pow(ROPE_BASE, 2.0 * i / headDim);
      double turns = ORIGINAL_CONTEXT / wavelength; // within the original context
      double share =
          Math.clamp(
              (turns - LOW_FREQUENCY_FACTOR) / (HIGH_FREQUENCY_FACTOR - LOW_FREQUENCY_FACTOR),
              0,
              1);
      factors[i] = (float) (1 / ((1 - share) / ROPE_FACTOR + share));
    }
    return factors;
  }
}

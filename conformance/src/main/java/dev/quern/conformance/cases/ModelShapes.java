package dev.quern.conformance.cases;

import java.util.List;
import java.util.function.ToIntFunction;

/// Models that people run: what the space of model sizes is made of, and what a report shows beside
/// the sizes that were tested.
public final class ModelShapes {
  /// The rows of the largest batch of a prompt.
  public static final int ROWS = 1024;

  /// A model, by its configuration file.
  ///
  /// @param hidden width of the residual stream
  /// @param intermediate width of the feed-forward network
  /// @param heads query heads
  /// @param kvHeads key/value heads
  /// @param headDim elements of a head
  /// @param vocabulary tokens
  /// @param context positions
  public record Model(
      String name,
      int hidden,
      int intermediate,
      int heads,
      int kvHeads,
      int headDim,
      int vocabulary,
      int context) {}

  private static final List<Model> MODELS =
      List.of(
          new Model("Llama 2 7B", 4096, 11008, 32, 32, 128, 32000, 4096),
          new Model("Llama 3.2 1B", 2048, 8192, 32, 8, 64, 128256, 131072),
          new Model("Llama 3.2 3B", 3072, 8192, 24, 8, 128, 128256, 131072),
          new Model("Llama 3.1 8B", 4096, 14336, 32, 8, 128, 128256, 131072),
          new Model("Llama 3.1 70B", 8192, 28672, 64, 8, 128, 128256, 131072),
          new Model("Qwen3 0.6B", 1024, 3072, 16, 8, 128, 151936, 40960),
          new Model("Qwen3 1.7B", 2048, 6144, 16, 8, 128, 151936, 40960),
          new Model("Qwen3 4B", 2560, 9728, 32, 8, 128, 151936, 40960),
          new Model("Qwen3 8B", 4096, 12288, 32, 8, 128, 151936, 40960),
          new Model("Qwen3 14B", 5120, 17408, 40, 8, 128, 151936, 40960),
          new Model("Qwen3 32B", 5120, 25600, 64, 8, 128, 151936, 40960),
          new Model("Gemma 2 2B", 2304, 9216, 8, 4, 256, 256000, 8192),
          new Model("Gemma 2 9B", 3584, 14336, 16, 8, 256, 256000, 8192),
          new Model("Gemma 2 27B", 4608, 36864, 32, 16, 128, 256000, 8192),
          new Model("Gemma 3 1B", 1152, 6912, 4, 1, 256, 262144, 32768),
          new Model("Gemma 3 4B", 2560, 10240, 8, 4, 256, 262144, 131072),
          new Model("Gemma 3 12B", 3840, 15360, 16, 8, 256, 262144, 131072),
          new Model("Gemma 3 27B", 5376, 21504, 32, 16, 128, 262144, 131072),
          new Model("Mistral 7B v0.3", 4096, 14336, 32, 8, 128, 32768, 32768),
          new Model("Mistral Nemo 12B", 5120, 14336, 32, 8, 128, 131072, 131072),
          new Model("Mistral Small 24B", 5120, 32768, 32, 8, 128, 131072, 32768),
          new Model("Phi-3 mini", 3072, 8192, 32, 32, 96, 32064, 131072),
          new Model("Phi-4 14B", 5120, 17920, 40, 10, 128, 100352, 16384),
          new Model("Granite 3.3 2B", 2048, 8192, 32, 8, 64, 49159, 131072),
          new Model("Granite 3.3 8B", 4096, 12800, 32, 8, 128, 49159, 131072),
          new Model("SmolLM2 135M", 576, 1536, 9, 3, 64, 49152, 8192),
          new Model("SmolLM2 360M", 960, 2560, 15, 5, 64, 49152, 8192),
          new Model("SmolLM2 1.7B", 2048, 8192, 32, 32, 64, 49152, 8192));

  private ModelShapes() {}

  /// The models, family by family.
  public static List<Model> models() {
    return MODELS;
  }

  /// What models have of something, each value once, smallest first.
  ///
  /// @param of numbers of a model
  public static List<Integer> sizes(List<ToIntFunction<Model>> of) {
    return MODELS.stream()
        .flatMap(m -> of.stream().map(s -> s.applyAsInt(m)))
        .distinct()
        .sorted()
        .toList();
  }
}

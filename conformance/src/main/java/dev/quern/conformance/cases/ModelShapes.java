package dev.quern.conformance.cases;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToIntFunction;

/// Models that people run, and how large each dimension of each operator gets in them: what the
/// space of model sizes is made of, and what a report shows beside the sizes that were tested.
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

  /// By operator and dimension, each value once, by size.
  private static final Map<String, Map<String, List<Integer>>> SIZES = table();

  private ModelShapes() {}

  /// The models, family by family.
  public static List<Model> models() {
    return MODELS;
  }

  /// The largest value of each dimension of each operator: `linear`, then `inputs`, is 36864.
  /// `outputs` counts those of all stacked matrices.
  public static Map<String, Map<String, Integer>> largest() {
    Map<String, Map<String, Integer>> largest = new LinkedHashMap<>();
    SIZES.forEach((operator, dimensions) ->
        dimensions.forEach((dimension, sizes) ->
            largest
                .computeIfAbsent(operator, o -> new LinkedHashMap<>())
                .put(dimension, sizes.getLast())));
    return largest;
  }

  /// The largest value of a dimension.
  ///
  /// @throws IllegalArgumentException if there is none of that name
  public static int largest(String operator, String dimension) {
    return sizes(operator, dimension).getLast();
  }

  /// All values of a dimension that models have, by size.
  ///
  /// @throws IllegalArgumentException if there is none of that name
  public static List<Integer> sizes(String operator, String dimension) {
    List<Integer> sizes = SIZES.getOrDefault(operator, Map.of()).get(dimension);
    if (sizes == null) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "%s of %s, expected one of %s", dimension, operator, SIZES));
    }
    return sizes;
  }

  private static Map<String, Map<String, List<Integer>>> table() {
    Map<String, Map<String, List<Integer>>> table = new LinkedHashMap<>();
    put(
        table,
        "linear",
        "inputs",
        List.of(Model::hidden, Model::intermediate, m -> m.heads * m.headDim));
    put(
        table,
        "linear",
        "outputs",
        List.of(
            Model::hidden,
            Model::vocabulary,
            m -> 2 * m.intermediate,
            m -> (m.heads + 2 * m.kvHeads) * m.headDim));
    put(table, "linear", "stacked", m -> 3); // Q, K and V
    put(table, "linear", "rows", m -> ROWS);
    put(table, "attention", "heads", Model::heads);
    put(table, "attention", "kvHeads", Model::kvHeads);
    put(table, "attention", "group", m -> m.heads / m.kvHeads);
    put(table, "attention", "headDim", Model::headDim);
    put(table, "attention", "positions", Model::context);
    put(table, "attention", "capacity", Model::context);
    put(table, "attention", "rows", m -> ROWS);
    put(table, "rmsnorm", "width", Model::hidden);
    put(table, "rmsnorm", "rows", m -> ROWS);
    put(table, "rope", "heads", Model::heads);
    put(table, "rope", "headDim", Model::headDim);
    put(table, "rope", "positions", Model::context);
    put(table, "rope", "rows", m -> ROWS);
    put(table, "swiglu", "width", Model::intermediate);
    put(table, "swiglu", "rows", m -> ROWS);
    return table;
  }

  private static void put(
      Map<String, Map<String, List<Integer>>> table,
      String operator,
      String dimension,
      ToIntFunction<Model> size) {
    put(table, operator, dimension, List.of(size));
  }

  private static void put(
      Map<String, Map<String, List<Integer>>> table,
      String operator,
      String dimension,
      List<ToIntFunction<Model>> sizes) {
    List<Integer> all =
        MODELS.stream()
            .flatMap(m -> sizes.stream().map(s -> s.applyAsInt(m)))
            .distinct()
            .sorted()
            .toList();
    table.computeIfAbsent(operator, o -> new LinkedHashMap<>()).put(dimension, all);
  }
}

package dev.quern.llama.checkpoint;

import dev.quern.op.Activation;
import dev.quern.op.RopePairing;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;

/// A family of models with Llama's forward pass, and what sets it apart from Llama itself. Which
/// there are: [#ALL].
///
/// @param name for people
/// @param architecture GGUF's `general.architecture`, with which the keys about a model's shape
///   begin
/// @param modelTypes `model_type` in Hugging Face's `config.json`
/// @param pairing of RoPE, in the order that a [Checkpoint]'s rows of Q and K have
/// @param traits what its layers, or its files, have that Llama's have not
/// @param local which layers may have a window; a window of 0 where the file has to state it.
///   Empty: all layers see all positions
/// @param unrotatedPeriod of so many layers RoPE leaves the last as it is (NoPE); 0: of none
/// @param defaults what `config.json` may leave out
/// @since 0.1
/// @stability api
public record Family(
    String name,
    String architecture,
    Set<String> modelTypes,
    RopePairing pairing,
    Set<Trait> traits,
    Optional<LocalLayers> local,
    int unrotatedPeriod,
    Defaults defaults) {

  /// What a family has that Llama has not.
  public enum Trait {
    /// Q, K and V have biases.
    ATTENTION_BIAS,
    /// RMSNorm is applied to each head of Q and K before it is rotated (QK-norm).
    HEAD_NORMS,
    /// Q, K and V are one matrix, `attn_qkv`, and gate and up another, `ffn_up`.
    FUSED,
    /// RMSNorm is applied to what a block adds to the residual stream, too.
    POST_NORMS,
    /// A folder's weights of norms are w where `1 + w` is meant; GGUF's are that sum.
    NORMS_ABOUT_ONE,
    /// Embeddings are multiplied with the root of the width.
    ROOT_WIDTH_EMBEDDINGS,
    /// The gate's activation is GELU by tanh in place of SiLU.
    GELU,
    /// Scores and logits have soft caps.
    SOFT_CAPS,
    /// The file states the factor of attention's scores.
    ATTENTION_SCALE,
    /// The file states [Multipliers] of embeddings, blocks and logits.
    MULTIPLIERS
  }

  /// What transformers' class has where `config.json` says nothing.
  ///
  /// @param headDim elements of a head; empty: width / heads
  /// @param window of local layers; 0: none
  /// @param ropeBase RoPE's base
  /// @param tied whether the embedding matrix is the output matrix too
  /// @since 0.1
  /// @stability api
  public record Defaults(OptionalInt headDim, int window, double ropeBase, boolean tied) {
    private static final Defaults COMMON =
        new Defaults(OptionalInt.empty(), 0, LlamaConfig.DEFAULT_ROPE_BASE, false);

    private Defaults withHeadDim(int headDim) {
      return new Defaults(OptionalInt.of(headDim), window, ropeBase, tied);
    }

    private Defaults withWindow(int window) {
      return new Defaults(headDim, window, ropeBase, tied);
    }

    private Defaults withRopeBase(double ropeBase) {
      return new Defaults(headDim, window, ropeBase, tied);
    }

    private Defaults withTied() {
      return new Defaults(headDim, window, ropeBase, true);
    }
  }

  /// Llama 2 and 3.x; Mistral and SmolLM2, which compute the same, but for the window of Mistral's
  /// first version. GGUF has the rows of Q and K in the order of Meta's files.
  public static final Family LLAMA =
      new Family(
          "Llama",
          "llama",
          Set.of("llama", "mistral"),
          RopePairing.ADJACENT,
          Set.of(),
          Optional.of(new LocalLayers(0, 0, OptionalDouble.empty())),
          0,
          Defaults.COMMON.withWindow(4096)); // Mistral's

  /// Qwen2 and 2.5 (Yang et al. 2024): biases of Q, K and V.
  public static final Family QWEN2 =
      new Family(
          "Qwen2",
          "qwen2",
          Set.of("qwen2"),
          RopePairing.HALF_SPLIT,
          Set.of(Trait.ATTENTION_BIAS),
          Optional.empty(),
          0,
          Defaults.COMMON);

  /// Qwen3, dense (Yang et al. 2025): norms of heads in place of the biases.
  public static final Family QWEN3 =
      new Family(
          "Qwen3",
          "qwen3",
          Set.of("qwen3"),
          RopePairing.HALF_SPLIT,
          Set.of(Trait.HEAD_NORMS),
          Optional.empty(),
          0,
          Defaults.COMMON.withHeadDim(128));

  /// Phi-3, 3.5 and Phi-4-mini (Abdin et al. 2024): fused matrices, a window in all layers of the
  /// models for 4096 positions, LongRoPE in the others, and of Phi-4-mini a part of each head that
  /// is not rotated.
  public static final Family PHI3 =
      new Family(
          "Phi-3",
          "phi3",
          Set.of("phi3"),
          RopePairing.HALF_SPLIT,
          Set.of(Trait.FUSED),
          Optional.of(new LocalLayers(0, 0, OptionalDouble.empty())),
          0,
          Defaults.COMMON);

  /// SmolLM3 (Bakouch et al. 2025): no RoPE in every fourth layer. Rows of Q and K are in Llama's
  /// order.
  public static final Family SMOLLM3 =
      new Family(
          "SmolLM3",
          "smollm3",
          Set.of("smollm3"),
          RopePairing.ADJACENT,
          Set.of(),
          Optional.empty(),
          4,
          Defaults.COMMON.withRopeBase(2_000_000).withTied());

  /// Gemma 2 (Gemma Team 2024): every second layer is local; norms behind the blocks, soft caps.
  public static final Family GEMMA2 =
      new Family(
          "Gemma 2",
          "gemma2",
          Set.of("gemma2"),
          RopePairing.HALF_SPLIT,
          Set.of(
              Trait.POST_NORMS,
              Trait.NORMS_ABOUT_ONE,
              Trait.ROOT_WIDTH_EMBEDDINGS,
              Trait.GELU,
              Trait.ATTENTION_SCALE,
              Trait.SOFT_CAPS),
          Optional.of(new LocalLayers(4096, 2, OptionalDouble.empty())),
          0,
          Defaults.COMMON.withHeadDim(256).withWindow(4096).withTied());

  /// Gemma 3 for text (Gemma Team 2025): five local layers to a global one, which have a rope of
  /// their own; norms of heads in place of Gemma 2's caps.
  public static final Family GEMMA3 =
      new Family(
          "Gemma 3",
          "gemma3",
          Set.of("gemma3_text"),
          RopePairing.HALF_SPLIT,
          Set.of(
              Trait.POST_NORMS,
              Trait.NORMS_ABOUT_ONE,
              Trait.ROOT_WIDTH_EMBEDDINGS,
              Trait.GELU,
              Trait.ATTENTION_SCALE,
              Trait.HEAD_NORMS),
          Optional.of(new LocalLayers(0, 6, OptionalDouble.of(10_000))),
          0,
          Defaults.COMMON.withHeadDim(256).withWindow(4096).withRopeBase(1_000_000).withTied());

  /// Granite 3, dense (Granite Team 2024): a Llama with multipliers.
  public static final Family GRANITE =
      new Family(
          "Granite",
          "granite",
          Set.of("granite"),
          RopePairing.ADJACENT,
          Set.of(Trait.ATTENTION_SCALE, Trait.MULTIPLIERS),
          Optional.empty(),
          0,
          Defaults.COMMON);

  /// The families that run.
  public static final List<Family> ALL =
      List.of(LLAMA, QWEN2, QWEN3, PHI3, SMOLLM3, GEMMA2, GEMMA3, GRANITE);

  public Family {
    modelTypes = Set.copyOf(modelTypes);
    traits = Set.copyOf(traits);
  }

  /// The family of GGUF's `general.architecture`.
  public static Optional<Family> byArchitecture(String architecture) {
    return ALL.stream().filter(f -> f.architecture.equals(architecture)).findFirst();
  }

  /// The family of a `model_type`.
  public static Optional<Family> byModelType(String modelType) {
    return ALL.stream().filter(f -> f.modelTypes.contains(modelType)).findFirst();
  }

  /// Whether it has a trait.
  public boolean has(Trait trait) {
    return traits.contains(trait);
  }

  /// The activation of the feed-forward network's gate.
  public Activation activation() {
    return has(Trait.GELU) ? Activation.GELU_TANH : Activation.SILU;
  }

  /// Whether RoPE may turn a part of each head where pairs are halves: rows of Q and K are put in
  /// another order then, and neither biases nor norms of heads come along.
  boolean rotatesPartsInHalves() {
    return pairing == RopePairing.HALF_SPLIT
        && !has(Trait.ATTENTION_BIAS)
        && !has(Trait.HEAD_NORMS);
  }

  /// All architectures, for messages.
  static String architectures() {
    return ALL.stream()
        .map(f -> "'" + f.architecture + "'")
        .collect(Collectors.joining(", ", "one of ", ""));
  }

  /// All model types, for messages.
  static String allModelTypes() {
    return ALL.stream()
        .flatMap(f -> f.modelTypes.stream().sorted())
        .map(type -> "'" + type + "'")
        .collect(Collectors.joining(", ", "one of ", ""));
  }

  /// A key of GGUF's metadata.
  ///
  /// @param name without the architecture, such as `block_count`
  String key(String name) {
    return architecture + "." + name;
  }
}

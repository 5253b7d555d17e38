package dev.quern.llama.checkpoint;

import dev.quern.op.RopePairing;
import java.util.List;
import java.util.Optional;
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
/// @param attentionBias whether Q, K and V have biases
/// @param headNorms whether RMSNorm is applied to each head of Q and K before it is rotated
///   (QK-norm)
/// @param fused whether Q, K and V are one matrix, `attn_qkv`, and gate and up another, `ffn_up`
/// @param unrotatedPeriod of so many layers RoPE leaves the last as it is (NoPE); 0: of none
/// @param defaults what `config.json` may leave out
/// @since 0.1
/// @stability api
public record Family(
    String name,
    String architecture,
    Set<String> modelTypes,
    RopePairing pairing,
    boolean attentionBias,
    boolean headNorms,
    boolean fused,
    int unrotatedPeriod,
    Defaults defaults) {

  /// What transformers' class has where `config.json` says nothing.
  ///
  /// @param headDim elements of a head; empty: width / heads
  /// @param ropeBase RoPE's base
  /// @param tied whether the embedding matrix is the output matrix too
  /// @since 0.1
  /// @stability api
  public record Defaults(OptionalInt headDim, double ropeBase, boolean tied) {
    static final Defaults COMMON =
        new Defaults(OptionalInt.empty(), LlamaConfig.DEFAULT_ROPE_BASE, false);

    Defaults withHeadDim(int headDim) {
      return new Defaults(OptionalInt.of(headDim), ropeBase, tied);
    }
  }

  /// Llama 2 and 3.x; Mistral and SmolLM2, which compute the same. GGUF has the rows of Q and K in
  /// the order of Meta's files.
  public static final Family LLAMA =
      new Family(
          "Llama",
          "llama",
          Set.of("llama", "mistral"),
          RopePairing.ADJACENT,
          false,
          false,
          false,
          0,
          Defaults.COMMON);

  /// Qwen2 and 2.5 (Yang et al. 2024): biases of Q, K and V.
  public static final Family QWEN2 =
      new Family(
          "Qwen2",
          "qwen2",
          Set.of("qwen2"),
          RopePairing.HALF_SPLIT,
          true,
          false,
          false,
          0,
          Defaults.COMMON);

  /// Qwen3, dense (Yang et al. 2025): norms of heads in place of the biases.
  public static final Family QWEN3 =
      new Family(
          "Qwen3",
          "qwen3",
          Set.of("qwen3"),
          RopePairing.HALF_SPLIT,
          false,
          true,
          false,
          0,
          Defaults.COMMON.withHeadDim(128));

  /// Phi-3, 3.5 and Phi-4-mini (Abdin et al. 2024): fused matrices, LongRoPE, and of Phi-4-mini a
  /// part of each head that is not rotated.
  public static final Family PHI3 =
      new Family(
          "Phi-3",
          "phi3",
          Set.of("phi3"),
          RopePairing.HALF_SPLIT,
          false,
          false,
          true,
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
          false,
          false,
          false,
          4,
          new Defaults(OptionalInt.empty(), 2_000_000, true));

  /// The families that run.
  public static final List<Family> ALL = List.of(LLAMA, QWEN2, QWEN3, PHI3, SMOLLM3);

  public Family {
    modelTypes = Set.copyOf(modelTypes);
  }

  /// The family of GGUF's `general.architecture`.
  public static Optional<Family> byArchitecture(String architecture) {
    return ALL.stream().filter(f -> f.architecture.equals(architecture)).findFirst();
  }

  /// The family of a `model_type`.
  public static Optional<Family> byModelType(String modelType) {
    return ALL.stream().filter(f -> f.modelTypes.contains(modelType)).findFirst();
  }

  /// Whether RoPE may turn a part of each head where pairs are halves: rows of Q and K are put in
  /// another order then, and neither biases nor norms of heads come along.
  boolean rotatesPartsInHalves() {
    return pairing == RopePairing.HALF_SPLIT && !attentionBias && !headNorms;
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

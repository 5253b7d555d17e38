package dev.quern.llama.checkpoint;

/// What a model multiplies its activations with, beside its weights.
///
/// @param embedding factor on embeddings
/// @param residual factor on what each block adds to the residual stream
/// @param logitDivisor logits are divided by it
/// @param logitSoftCap a logit becomes `logitSoftCap * tanh(logit / logitSoftCap)`; 0: it stays as
///   it is
/// @since 0.1
/// @stability api
public record Multipliers(float embedding, float residual, float logitDivisor, float logitSoftCap) {

  /// Those of Llama, which change nothing.
  public static final Multipliers NONE = new Multipliers(1, 1, 1, 0);
}

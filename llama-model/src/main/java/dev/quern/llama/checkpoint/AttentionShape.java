package dev.quern.llama.checkpoint;

import java.util.Optional;

/// The attention of a model's layers.
///
/// @param heads query heads
/// @param kvHeads key/value heads; divides `heads`
/// @param headDim elements of a head; not always `width / heads`
/// @param scale factor of the scores
/// @param softCap a score becomes `softCap * tanh(score / softCap)`; 0: it stays as it is
/// @param local layers that see a window of positions; empty: all see all
/// @since 0.1
/// @stability api
public record AttentionShape(
    int heads, int kvHeads, int headDim, float scale, float softCap, Optional<LocalLayers> local) {

  /// As Llama has it: scores are divided by the root of a head's elements, and every query sees all
  /// positions before it.
  public static AttentionShape of(int heads, int kvHeads, int headDim) {
    return new AttentionShape(heads, kvHeads, headDim, rootScale(headDim), 0, Optional.empty());
  }

  /// `1 / sqrt(elements)`.
  static float rootScale(double elements) {
    return (float) (1 / Math.sqrt(elements));
  }
}

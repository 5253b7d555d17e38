package dev.quern.op;

import dev.quern.data.KvFormat;
import java.util.Locale;
import java.util.Objects;

/// What an attention operator does: causal softmax attention of grouped queries over one sequence's
/// KV cache (Vaswani et al. 2017; grouped queries: Ainslie et al. 2023).
///
/// A minor version may add a component, with a value that means what was meant before: [#of] and
/// the methods that change one stay, and the constructor does not (SPEC.md, Versioning).
///
/// @param heads query heads
/// @param kvHeads key/value heads; divides `heads`. Query head h reads KV head `h / (heads /
///   kvHeads)`
/// @param headDim elements of a head
/// @param maxPositions the largest cache capacity that kernels must serve
/// @param scale factor of the dot products before the softmax, usually `1 / sqrt(headDim)`
/// @param kv element format of the cache
public record AttentionSpec(
    int heads, int kvHeads, int headDim, int maxPositions, float scale, KvFormat kv) {

  public AttentionSpec {
    Objects.requireNonNull(kv, "kv");
    Checks.positive("attention", "heads", heads);
    Checks.positive("attention", "kvHeads", kvHeads);
    Checks.positive("attention", "headDim", headDim);
    Checks.positive("attention", "maxPositions", maxPositions);
    if (heads % kvHeads != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "attention: heads=%d, kvHeads=%d, expected kvHeads to divide heads",
              heads,
              kvHeads));
    }
    if (!(scale > 0) || Float.isInfinite(scale)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "attention: scale=%s, expected a positive finite number", scale));
    }
    Math.multiplyExact(heads, headDim);
  }

  /// Attention with the usual scale, `1 / sqrt(headDim)`.
  public static AttentionSpec of(
      int heads, int kvHeads, int headDim, int maxPositions, KvFormat kv) {
    Checks.positive("attention", "headDim", headDim);
    return new AttentionSpec(
        heads, kvHeads, headDim, maxPositions, (float) (1 / Math.sqrt(headDim)), kv);
  }

  /// This spec with other numbers of heads.
  public AttentionSpec withHeads(int heads, int kvHeads) {
    return new AttentionSpec(heads, kvHeads, headDim, maxPositions, scale, kv);
  }

  /// This spec for caches of another capacity.
  public AttentionSpec withMaxPositions(int maxPositions) {
    return new AttentionSpec(heads, kvHeads, headDim, maxPositions, scale, kv);
  }

  /// This spec with another scale.
  public AttentionSpec withScale(float scale) {
    return new AttentionSpec(heads, kvHeads, headDim, maxPositions, scale, kv);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "AttentionSpec[heads=%d, kvHeads=%d, headDim=%d, maxPositions=%d, scale=%s, kv=%s]",
        heads,
        kvHeads,
        headDim,
        maxPositions,
        scale,
        kv);
  }
}

package dev.quern.op;

import dev.quern.data.KvFormat;
import java.util.Locale;
import java.util.Objects;

/// What an attention operator does: causal softmax attention of grouped queries over one sequence's
/// KV cache (Vaswani et al. 2017; grouped queries: Ainslie et al. 2023).
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

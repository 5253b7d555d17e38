package dev.quern.op;

import dev.quern.data.KvFormat;
import java.util.Locale;
import java.util.Objects;

/// What an attention operator does: causal softmax attention of grouped queries over KV caches of
/// sequences (Vaswani et al. 2017; grouped queries: Ainslie et al. 2023).
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
/// @param window positions that a query sees, its own included: the query at position p sees
///   `max(0, p - window + 1) .. p` (sliding-window attention, Beltagy et al. 2020; as Mistral and
///   Gemma count). 0: all up to its own
/// @param softCap a score, scaled, becomes `softCap * tanh(score / softCap)` before the softmax
///   (Gemma 2, 2024). 0: it stays as it is
/// @param sequences the largest number of sequences that a call serves; 1 where it is not stated
/// @since 0.1
/// @stability contract
public record AttentionSpec(
    int heads,
    int kvHeads,
    int headDim,
    int maxPositions,
    float scale,
    KvFormat kv,
    int window,
    float softCap,
    int sequences) {
  /// The smallest and the largest cap: its reciprocal is a normal float, too.
  private static final float LEAST_CAP = 0x1p-126f;

  private static final float MOST_CAP = 0x1p126f;

  public AttentionSpec {
    Objects.requireNonNull(kv, "kv");
    Checks.positive("attention", "heads", heads);
    Checks.positive("attention", "kvHeads", kvHeads);
    Checks.positive("attention", "headDim", headDim);
    Checks.positive("attention", "maxPositions", maxPositions);
    Checks.positive("attention", "sequences", sequences);
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
    if (window < 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "attention: window=%d, expected a positive number of positions, or 0 for all",
              window));
    }
    if (softCap != 0 && !(softCap >= LEAST_CAP && softCap <= MOST_CAP)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "attention: softCap=%s, expected 2^-126 to 2^126, or 0 for none",
              softCap));
    }
    softCap += 0f; // -0 is 0
    Math.multiplyExact(heads, headDim);
  }

  /// Attention of one sequence a call to all positions up to a query's own, whose scores are not
  /// capped.
  public AttentionSpec(
      int heads, int kvHeads, int headDim, int maxPositions, float scale, KvFormat kv) {
    this(heads, kvHeads, headDim, maxPositions, scale, kv, 0, 0, 1);
  }

  /// Attention with the usual scale, `1 / sqrt(headDim)`, without a window and a soft cap.
  public static AttentionSpec of(
      int heads, int kvHeads, int headDim, int maxPositions, KvFormat kv) {
    Checks.positive("attention", "headDim", headDim);
    return new AttentionSpec(
        heads, kvHeads, headDim, maxPositions, (float) (1 / Math.sqrt(headDim)), kv);
  }

  /// This spec with other numbers of heads.
  public AttentionSpec withHeads(int heads, int kvHeads) {
    return new AttentionSpec(
        heads, kvHeads, headDim, maxPositions, scale, kv, window, softCap, sequences);
  }

  /// This spec for caches of another capacity.
  public AttentionSpec withMaxPositions(int maxPositions) {
    return new AttentionSpec(
        heads, kvHeads, headDim, maxPositions, scale, kv, window, softCap, sequences);
  }

  /// This spec with another scale.
  public AttentionSpec withScale(float scale) {
    return new AttentionSpec(
        heads, kvHeads, headDim, maxPositions, scale, kv, window, softCap, sequences);
  }

  /// This spec with another window.
  ///
  /// @param window positions that a query sees, or 0 for all
  public AttentionSpec withWindow(int window) {
    return new AttentionSpec(
        heads, kvHeads, headDim, maxPositions, scale, kv, window, softCap, sequences);
  }

  /// This spec with another soft cap.
  ///
  /// @param softCap bound of the scores, or 0 for none
  public AttentionSpec withSoftCap(float softCap) {
    return new AttentionSpec(
        heads, kvHeads, headDim, maxPositions, scale, kv, window, softCap, sequences);
  }

  /// This spec for calls over several sequences.
  ///
  /// @param sequences the largest number of them in a call
  public AttentionSpec withSequences(int sequences) {
    return new AttentionSpec(
        heads, kvHeads, headDim, maxPositions, scale, kv, window, softCap, sequences);
  }

  /// The first position that a query sees.
  ///
  /// @param position the query's
  public int firstVisible(int position) {
    return window == 0 ? 0 : Math.max(0, position - window + 1);
  }

  /// A window, a soft cap and several sequences are named where there are any.
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "AttentionSpec[heads=%d, kvHeads=%d, headDim=%d, maxPositions=%d, scale=%s, kv=%s%s%s%s]",
        heads,
        kvHeads,
        headDim,
        maxPositions,
        scale,
        kv,
        window == 0 ? "" : ", window=" + window,
        softCap == 0 ? "" : ", softCap=" + softCap,
        sequences == 1 ? "" : ", sequences=" + sequences);
  }
}

package dev.quern.provider.x86.activation;

import java.util.Arrays;

/// What attention of one query computes, in plain Java and to the last bit: tile by tile of 32
/// positions with a running maximum, in ranges of 512 that each begin with nothing seen, which are
/// folded in their order.
final class AttentionReference {
  private static final int POSITIONS = 32;
  private static final int RANGE = 512;
  private static final int BLOCK = 8;

  private final int lanes;
  private final float scale;
  private float max = -Float.MAX_VALUE;
  private final float[] total;
  private final float[] out;

  private AttentionReference(int lanes, float scale, int headDim) {
    this.lanes = lanes;
    this.scale = scale;
    total = new float[lanes];
    out = new float[headDim];
  }

  /// @param keys of the positions that the query sees, `[positions][headDim]`
  /// @param values as keys
  static float[] attend(float[] q, float[][] keys, float[][] values, float scale, int lanes) {
    AttentionReference all = null;
    for (int from = 0; from < keys.length; from += RANGE) {
      AttentionReference range = new AttentionReference(lanes, scale, q.length);
      for (int t = from; t < Math.min(keys.length, from + RANGE); t += POSITIONS) {
        range.tile(q, keys, values, t, Math.min(keys.length - t, POSITIONS));
      }
      if (all == null) {
        all = range;
      } else {
        all.fold(range);
      }
    }
    float sum = ActivationReference.sum(all.total);
    for (int d = 0; d < all.out.length; d++) {
      all.out[d] /= sum;
    }
    return all.out;
  }

  private void tile(float[] q, float[][] keys, float[][] values, int first, int visible) {
    float[] weights = new float[POSITIONS];
    Arrays.fill(weights, Float.NEGATIVE_INFINITY);
    float before = max;
    for (int t = 0; t < visible; t++) {
      weights[t] = scale * dot(q, keys[first + t]);
      max = weights[t] > max ? weights[t] : max; // NaN is none
    }
    float correction = ActivationReference.exp(before - max);
    for (int lane = 0; lane < lanes; lane++) {
      total[lane] *= correction;
    }
    for (int t = 0; t < POSITIONS; t++) {
      weights[t] = ActivationReference.exp(weights[t] - max);
      total[t % lanes] += weights[t];
    }
    for (int d = 0; d < out.length; d++) {
      float[] sums = {out[d] * correction, 0};
      boolean apart = vectorsBeside(d) <= BLOCK / 2;
      for (int t = 0; t < visible; t++) {
        int sum = apart ? t % 2 : 0;
        sums[sum] = Math.fma(weights[t], values[first + t][d], sums[sum]);
      }
      out[d] = apart ? sums[0] + sums[1] : sums[0];
    }
  }

  /// Vectors that are summed at once with that of element d: where they are few, even and odd
  /// positions are summed apart.
  private int vectorsBeside(int d) {
    int vectors = Math.ceilDiv(out.length, lanes);
    return Math.min(BLOCK, vectors - d / lanes / BLOCK * BLOCK);
  }

  /// Lane by lane, from the last vector down.
  private float dot(float[] q, float[] k) {
    float[] sums = new float[lanes];
    for (int first = (q.length - 1) / lanes * lanes; first >= 0; first -= lanes) {
      for (int d = first; d < Math.min(q.length, first + lanes); d++) {
        sums[d - first] = Math.fma(q[d], k[d], sums[d - first]);
      }
    }
    return ActivationReference.sum(sums);
  }

  private void fold(AttentionReference later) {
    float largest = Math.max(max, later.max);
    float ours = ActivationReference.exp(max - largest);
    float theirs = ActivationReference.exp(later.max - largest);
    max = largest;
    for (int lane = 0; lane < lanes; lane++) {
      total[lane] = Math.fma(theirs, later.total[lane], ours * total[lane]);
    }
    for (int d = 0; d < out.length; d++) {
      out[d] = Math.fma(theirs, later.out[d], ours * out[d]);
    }
  }
}

package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.BYTES;
import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static jdk.incubator.vector.VectorOperators.MAX;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionSpec;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// One task of attention: queries of one KV head, and what they have seen so far. In scratch:
///
/// ```
/// keys:    f32[POSITIONS][headDim]     of a block of positions
/// values:  f32[POSITIONS][headDim]
/// sums:    of a tile
/// scores:  f32[queries][POSITIONS]     then weights: exp(score - max)
/// max:     f32[queries]                the largest score so far
/// total:   f32[queries]                Σ exp(score - max)
/// out:     f32[queries][headDim]       Σ exp(score - max) * V
/// ```
///
/// @param spec the operator
/// @param q the queries' matrix
/// @param row the first row
/// @param head the first query head
/// @param heads how many of each row
/// @param queries rows times heads; query j is of row `row + j / heads`, head `head + j % heads`
/// @param scratch the worker's memory
/// @param at where it begins
record AttentionBlock(
    AttentionSpec spec,
    F32Matrix q,
    int row,
    int head,
    int heads,
    int queries,
    MemorySegment scratch,
    long at) {

  /// Positions of a block; a multiple of L and of every tile's rows.
  static final int POSITIONS = 32;

  private static final Tile TILE = Tile.PREFERRED;

  static long scratchBytes(int headDim, int queries) {
    return outAt(headDim, queries) + Split.align(4L * queries * headDim);
  }

  private static long planeBytes(int headDim) {
    return Split.align(4L * POSITIONS * headDim);
  }

  private static long sumsAt(int headDim) {
    return 2 * planeBytes(headDim);
  }

  private static long scoresAt(int headDim) {
    return sumsAt(headDim) + Split.align(TILE.sumsBytes());
  }

  private static long maxAt(int headDim, int queries) {
    return scoresAt(headDim) + Split.align(4L * queries * POSITIONS);
  }

  private static long outAt(int headDim, int queries) {
    return maxAt(headDim, queries) + 2 * Split.align(4L * queries);
  }

  private long values() {
    return at + planeBytes(spec.headDim());
  }

  private long scores(int j) {
    return at + scoresAt(spec.headDim()) + 4L * POSITIONS * j;
  }

  private long max(int j) {
    return at + maxAt(spec.headDim(), queries) + 4L * j;
  }

  private long total(int j) {
    return max(j) + Split.align(4L * queries);
  }

  private long out(int j) {
    return at + outAt(spec.headDim(), queries) + 4L * spec.headDim() * j;
  }

  private long query(int j) {
    int last = Math.min(j, queries - 1);
    return q.offsetBytes(row + last / heads, (head + last % heads) * spec.headDim());
  }

  /// No position seen.
  void clear() {
    for (int j = 0; j < queries; j++) {
      scratch.set(JAVA_FLOAT, max(j), Float.NEGATIVE_INFINITY);
      scratch.set(JAVA_FLOAT, total(j), 0);
    }
    long out = out(0);
    for (long i = 0; i < (long) queries * spec.headDim(); i++) {
      scratch.set(JAVA_FLOAT, out + 4 * i, 0);
    }
  }

  /// Brings n positions to F32, from an element of the cache on.
  void widen(KvCache c, long element, int n) {
    int count = n * spec.headDim();
    if (c.format().equals(KvFormat.F16)) {
      Floats.f16(c.keys(), 2 * element, count, scratch, at);
      Floats.f16(c.values(), 2 * element, count, scratch, values());
    } else {
      MemorySegment.copy(c.keys(), 4 * element, scratch, at, 4L * count);
      MemorySegment.copy(c.values(), 4 * element, scratch, values(), 4L * count);
    }
  }

  /// Scores of all queries at n positions. Those that a query must not see are computed too, and
  /// not used.
  void score(int n) {
    for (int j = 0; j < queries; j += TILE.xRows()) {
      for (int t = 0; t < n; t += TILE.wRows()) {
        score(j, t);
      }
    }
  }

  private void score(int j, int t) {
    int headDim = spec.headDim();
    int whole = Lanes.whole(headDim);
    long keys = at + 4L * headDim * t;
    long sums = at + sumsAt(headDim);
    TILE.kernel()
        .multiply(
            scratch,
            keys,
            4L * headDim,
            q.data(),
            query(j),
            query(j + 1),
            query(j + 2),
            query(j + 3),
            whole,
            scratch,
            sums);
    int end = Math.min(queries, j + TILE.xRows());
    for (int r = 0; r < TILE.wRows(); r++) {
      long key = keys + 4L * headDim * r;
      for (int i = j; i < end; i++) {
        float sum =
            TILE.sum(scratch, sums, r, i - j, scratch, key, q.data(), query(i), whole, headDim);
        scratch.set(JAVA_FLOAT, scores(i) + 4L * (t + r), spec.scale() * sum);
      }
    }
  }

  /// Adds the values of the first `visible` positions to what query j has seen.
  void addValues(int j, int visible) {
    long scores = scores(j);
    for (int t = visible; t < POSITIONS; t++) {
      scratch.set(JAVA_FLOAT, scores + 4L * t, Float.NEGATIVE_INFINITY);
    }
    float before = scratch.get(JAVA_FLOAT, max(j));
    float max = Math.max(before, largest(scores)); // NaN if a score is
    scratch.set(JAVA_FLOAT, max(j), max);
    // Where every score is -infinity, nothing must come out as NaN yet.
    float base = max == Float.NEGATIVE_INFINITY ? 0 : max;
    float correction = (float) Math.exp(before - base);
    float sum = exp(scores, base);
    scratch.set(JAVA_FLOAT, total(j), scratch.get(JAVA_FLOAT, total(j)) * correction + sum);
    weigh(scores, visible, correction, out(j));
  }

  private float largest(long scores) {
    FloatVector max = Lanes.f32(scratch, scores);
    for (int t = L; t < POSITIONS; t += L) {
      max = max.max(Lanes.f32(scratch, scores + 4L * t));
    }
    return max.reduceLanes(MAX);
  }

  /// Replaces scores by exp(score - base) and returns their sum.
  private float exp(long scores, float base) {
    FloatVector sum = FloatVector.zero(F);
    for (int t = 0; t < POSITIONS; t += L) {
      FloatVector e = Exp.exp(Lanes.f32(scratch, scores + 4L * t).sub(base));
      Lanes.store(e, scratch, scores + 4L * t);
      sum = sum.add(e);
    }
    return Lanes.sum(sum);
  }

  /// out = out * correction + Σ_t weight[t] * V[t]
  private void weigh(long weights, int n, float correction, long out) {
    int headDim = spec.headDim();
    int whole = Lanes.whole(headDim);
    int d = 0;
    for (; d <= whole - 4 * L; d += 4 * L) {
      weigh4(scratch, weights, n, correction, values() + 4L * d, 4L * headDim, out + 4L * d);
    }
    for (; d < whole; d += L) {
      weigh1(scratch, weights, n, correction, values() + 4L * d, 4L * headDim, out + 4L * d);
    }
    for (; d < headDim; d++) {
      float sum = scratch.get(JAVA_FLOAT, out + 4L * d) * correction;
      for (int t = 0; t < n; t++) {
        float value = scratch.get(JAVA_FLOAT, values() + 4L * (t * headDim + d));
        sum += scratch.get(JAVA_FLOAT, weights + 4L * t) * value;
      }
      scratch.set(JAVA_FLOAT, out + 4L * d, sum);
    }
  }

  /// 4 * L columns.
  private static void weigh4(
      MemorySegment s, long weights, int n, float correction, long values, long stride, long out) {
    FloatVector a0 = Lanes.f32(s, out).mul(correction);
    FloatVector a1 = Lanes.f32(s, out + BYTES).mul(correction);
    FloatVector a2 = Lanes.f32(s, out + 2 * BYTES).mul(correction);
    FloatVector a3 = Lanes.f32(s, out + 3 * BYTES).mul(correction);
    for (int t = 0; t < n; t++) {
      long row = values + stride * t;
      FloatVector w = FloatVector.broadcast(F, s.get(JAVA_FLOAT, weights + 4L * t));
      a0 = w.fma(Lanes.f32(s, row), a0);
      a1 = w.fma(Lanes.f32(s, row + BYTES), a1);
      a2 = w.fma(Lanes.f32(s, row + 2 * BYTES), a2);
      a3 = w.fma(Lanes.f32(s, row + 3 * BYTES), a3);
    }
    Lanes.store(a0, s, out);
    Lanes.store(a1, s, out + BYTES);
    Lanes.store(a2, s, out + 2 * BYTES);
    Lanes.store(a3, s, out + 3 * BYTES);
  }

  /// L columns.
  private static void weigh1(
      MemorySegment s, long weights, int n, float correction, long values, long stride, long out) {
    FloatVector a = Lanes.f32(s, out).mul(correction);
    for (int t = 0; t < n; t++) {
      FloatVector w = FloatVector.broadcast(F, s.get(JAVA_FLOAT, weights + 4L * t));
      a = w.fma(Lanes.f32(s, values + stride * t), a);
    }
    Lanes.store(a, s, out);
  }

  /// Writes y of query j.
  void finish(int j, F32Matrix y, long to) {
    long out = out(j);
    float total = scratch.get(JAVA_FLOAT, total(j));
    int whole = Lanes.whole(spec.headDim());
    for (int d = 0; d < whole; d += L) {
      Lanes.store(Lanes.f32(scratch, out + 4L * d).div(total), y.data(), to + 4L * d);
    }
    for (int d = whole; d < spec.headDim(); d++) {
      y.data().set(JAVA_FLOAT, to + 4L * d, scratch.get(JAVA_FLOAT, out + 4L * d) / total);
    }
  }
}

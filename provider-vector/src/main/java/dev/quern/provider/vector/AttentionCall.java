package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.BYTES;
import static dev.quern.provider.vector.Lanes.F;
import static dev.quern.provider.vector.Lanes.L;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.MAX;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionSpec;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// One call of attention. A task of it takes one KV head and some queries: those of a few rows and
/// of `heads` query heads that read that KV head. In its worker's scratch:
///
/// ```
/// keys:    f32[POSITIONS][headDim]     of a block of positions
/// values:  f32[POSITIONS][headDim]
/// sums:    of a tile
/// scores:  f32[QUERIES][POSITIONS]     then weights: exp(score - max)
/// max:     f32[QUERIES]                the largest score so far
/// total:   f32[QUERIES]                Σ exp(score - max)
/// out:     f32[QUERIES][headDim]       Σ exp(score - max) * V
/// ```
///
/// Query j of a task that begins at a row and a head is of row `row + j / heads`, head `head + j %
/// heads`. Offsets called `at` are those of the worker's scratch.
///
/// @param spec the operator
/// @param q `[rows, heads * headDim]`
/// @param cache keys and values
/// @param firstPosition position of the first row
/// @param y as q
/// @param heads query heads of a task; divides the group
/// @param scratch of all workers
record AttentionCall(
    AttentionSpec spec,
    F32Matrix q,
    KvCache cache,
    int firstPosition,
    F32Matrix y,
    int heads,
    MemorySegment scratch) {

  /// Positions of a block; a multiple of every L and tile.
  private static final int POSITIONS = 48;

  /// Queries of a task, at most.
  static final int QUERIES = 24;

  private static final Tile TILE = Tile.PREFERRED;

  /// Rows of a task.
  int rows() {
    return QUERIES / heads;
  }

  /// The task that begins at a row and a query head.
  void attend(int row, int head, long at) {
    int end = Math.min(q.rows(), row + rows());
    int queries = (end - row) * heads;
    int positions = firstPosition + end;
    long kvHead = head / (spec.heads() / spec.kvHeads());
    clear(queries, at);
    for (int t = 0; t < positions; t += POSITIONS) {
      int n = Math.min(POSITIONS, positions - t);
      widen((kvHead * cache.capacity() + t) * spec.headDim(), n, at);
      score(row, head, queries, n, at);
      for (int j = 0; j < queries; j++) {
        int visible = Math.min(n, firstPosition + row + j / heads + 1 - t);
        if (visible > 0) {
          addValues(j, visible, at);
        }
      }
    }
    for (int j = 0; j < queries; j++) {
      finish(j, y.offsetBytes(row + j / heads, (head + j % heads) * spec.headDim()), at);
    }
  }

  static long scratchBytes(int headDim) {
    return outAt(headDim) + Split.align(4L * QUERIES * headDim);
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

  private static long maxAt(int headDim) {
    return scoresAt(headDim) + Split.align(4L * QUERIES * POSITIONS);
  }

  private static long outAt(int headDim) {
    return maxAt(headDim) + 2 * Split.align(4L * QUERIES);
  }

  private long values(long at) {
    return at + planeBytes(spec.headDim());
  }

  private long scores(int j, long at) {
    return at + scoresAt(spec.headDim()) + 4L * POSITIONS * j;
  }

  private long max(int j, long at) {
    return at + maxAt(spec.headDim()) + 4L * j;
  }

  private long total(int j, long at) {
    return max(j, at) + Split.align(4L * QUERIES);
  }

  private long out(int j, long at) {
    return at + outAt(spec.headDim()) + 4L * spec.headDim() * j;
  }

  /// Offset of query j of a task; the last is repeated where a tile wants more.
  private long query(int row, int head, int j) {
    int last = Math.min(row + j / heads, q.rows() - 1);
    return q.offsetBytes(last, (head + j % heads) * spec.headDim());
  }

  /// No position seen.
  private void clear(int queries, long at) {
    for (int j = 0; j < queries; j++) {
      scratch.set(JAVA_FLOAT, max(j, at), Float.NEGATIVE_INFINITY);
      scratch.set(JAVA_FLOAT, total(j, at), 0);
    }
    long out = out(0, at);
    for (long i = 0; i < (long) queries * spec.headDim(); i++) {
      scratch.set(JAVA_FLOAT, out + 4 * i, 0);
    }
  }

  /// Brings n positions to F32, from an element of the cache on.
  private void widen(long element, int n, long at) {
    int count = n * spec.headDim();
    if (cache.format().equals(KvFormat.F16)) {
      Floats.f16(cache.keys(), 2 * element, count, scratch, at);
      Floats.f16(cache.values(), 2 * element, count, scratch, values(at));
    } else {
      MemorySegment.copy(cache.keys(), 4 * element, scratch, at, 4L * count);
      MemorySegment.copy(cache.values(), 4 * element, scratch, values(at), 4L * count);
    }
  }

  /// Scores of all queries at n positions. Those that a query must not see are computed too, and
  /// not used.
  private void score(int row, int head, int queries, int n, long at) {
    for (int j = 0; j < queries; j += TILE.xRows()) {
      for (int t = 0; t < n; t += TILE.wRows()) {
        score(row, head, queries, j, t, at);
      }
    }
  }

  private void score(int row, int head, int queries, int j, int t, long at) {
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
            query(row, head, j),
            query(row, head, j + 1),
            query(row, head, j + 2),
            query(row, head, j + 3),
            whole,
            scratch,
            sums);
    int end = Math.min(queries, j + TILE.xRows());
    for (int r = 0; r < TILE.wRows(); r++) {
      long key = keys + 4L * headDim * r;
      for (int i = j; i < end; i++) {
        float sum =
            TILE.sum(
                scratch,
                sums,
                r,
                i - j,
                scratch,
                key,
                q.data(),
                query(row, head, i),
                whole,
                headDim);
        scratch.set(JAVA_FLOAT, scores(i, at) + 4L * (t + r), spec.scale() * sum);
      }
    }
  }

  /// Adds the values of the first `visible` positions to what query j has seen.
  private void addValues(int j, int visible, long at) {
    long scores = scores(j, at);
    for (int t = visible; t < POSITIONS; t++) {
      scratch.set(JAVA_FLOAT, scores + 4L * t, Float.NEGATIVE_INFINITY);
    }
    float before = scratch.get(JAVA_FLOAT, max(j, at));
    float max = Math.max(before, largest(scores)); // NaN if a score is
    scratch.set(JAVA_FLOAT, max(j, at), max);
    // Where every score is -infinity, nothing must come out as NaN yet.
    float base = max == Float.NEGATIVE_INFINITY ? 0 : max;
    float correction = (float) Math.exp(before - base);
    Exp.exp(scratch, scores, 1, -base, scratch, scores, POSITIONS);
    float sum = total(scores, at + sumsAt(spec.headDim()));
    scratch.set(JAVA_FLOAT, total(j, at), scratch.get(JAVA_FLOAT, total(j, at)) * correction + sum);
    weigh(scores, visible, correction, out(j, at), at);
  }

  private float largest(long scores) {
    FloatVector max = FloatVector.fromMemorySegment(F, scratch, scores, LITTLE_ENDIAN);
    for (int t = L; t < POSITIONS; t += L) {
      max = max.max(FloatVector.fromMemorySegment(F, scratch, scores + 4L * t, LITTLE_ENDIAN));
    }
    return max.reduceLanes(MAX);
  }

  /// The sum of the weights at `weights`, which ends up in the first lanes of a tile's sums.
  private float total(long weights, long sums) {
    FloatVector sum = FloatVector.fromMemorySegment(F, scratch, weights, LITTLE_ENDIAN);
    for (int t = L; t < POSITIONS; t += L) {
      sum = sum.add(FloatVector.fromMemorySegment(F, scratch, weights + 4L * t, LITTLE_ENDIAN));
    }
    sum.intoMemorySegment(scratch, sums, LITTLE_ENDIAN);
    return Lanes.sum(scratch, sums);
  }

  /// out = out * correction + Σ_t weight[t] * V[t]
  private void weigh(long weights, int n, float correction, long out, long at) {
    int headDim = spec.headDim();
    int whole = Lanes.whole(headDim);
    int d = 0;
    for (; d <= whole - 4 * L; d += 4 * L) {
      weigh4(scratch, weights, n, correction, values(at) + 4L * d, 4L * headDim, out + 4L * d);
    }
    for (; d < whole; d += L) {
      weigh1(scratch, weights, n, correction, values(at) + 4L * d, 4L * headDim, out + 4L * d);
    }
    for (; d < headDim; d++) {
      float sum = scratch.get(JAVA_FLOAT, out + 4L * d) * correction;
      for (int t = 0; t < n; t++) {
        float value = scratch.get(JAVA_FLOAT, values(at) + 4L * (t * headDim + d));
        sum += scratch.get(JAVA_FLOAT, weights + 4L * t) * value;
      }
      scratch.set(JAVA_FLOAT, out + 4L * d, sum);
    }
  }

  /// 4 * L columns.
  private static void weigh4(
      MemorySegment s, long weights, int n, float correction, long values, long stride, long out) {
    FloatVector a0 = FloatVector.fromMemorySegment(F, s, out, LITTLE_ENDIAN).mul(correction);
    FloatVector a1 =
        FloatVector.fromMemorySegment(F, s, out + BYTES, LITTLE_ENDIAN).mul(correction);
    FloatVector a2 =
        FloatVector.fromMemorySegment(F, s, out + 2 * BYTES, LITTLE_ENDIAN).mul(correction);
    FloatVector a3 =
        FloatVector.fromMemorySegment(F, s, out + 3 * BYTES, LITTLE_ENDIAN).mul(correction);
    for (int t = 0; t < n; t++) {
      long row = values + stride * t;
      FloatVector w = FloatVector.broadcast(F, s.get(JAVA_FLOAT, weights + 4L * t));
      a0 = w.fma(FloatVector.fromMemorySegment(F, s, row, LITTLE_ENDIAN), a0);
      a1 = w.fma(FloatVector.fromMemorySegment(F, s, row + BYTES, LITTLE_ENDIAN), a1);
      a2 = w.fma(FloatVector.fromMemorySegment(F, s, row + 2 * BYTES, LITTLE_ENDIAN), a2);
      a3 = w.fma(FloatVector.fromMemorySegment(F, s, row + 3 * BYTES, LITTLE_ENDIAN), a3);
    }
    a0.intoMemorySegment(s, out, LITTLE_ENDIAN);
    a1.intoMemorySegment(s, out + BYTES, LITTLE_ENDIAN);
    a2.intoMemorySegment(s, out + 2 * BYTES, LITTLE_ENDIAN);
    a3.intoMemorySegment(s, out + 3 * BYTES, LITTLE_ENDIAN);
  }

  /// L columns.
  private static void weigh1(
      MemorySegment s, long weights, int n, float correction, long values, long stride, long out) {
    FloatVector a = FloatVector.fromMemorySegment(F, s, out, LITTLE_ENDIAN).mul(correction);
    for (int t = 0; t < n; t++) {
      FloatVector w = FloatVector.broadcast(F, s.get(JAVA_FLOAT, weights + 4L * t));
      a = w.fma(FloatVector.fromMemorySegment(F, s, values + stride * t, LITTLE_ENDIAN), a);
    }
    a.intoMemorySegment(s, out, LITTLE_ENDIAN);
  }

  /// Writes y of query j.
  private void finish(int j, long to, long at) {
    long out = out(j, at);
    float total = scratch.get(JAVA_FLOAT, total(j, at));
    int whole = Lanes.whole(spec.headDim());
    for (int d = 0; d < whole; d += L) {
      FloatVector.fromMemorySegment(F, scratch, out + 4L * d, LITTLE_ENDIAN)
          .div(total)
          .intoMemorySegment(y.data(), to + 4L * d, LITTLE_ENDIAN);
    }
    for (int d = whole; d < spec.headDim(); d++) {
      y.data().set(JAVA_FLOAT, to + 4L * d, scratch.get(JAVA_FLOAT, out + 4L * d) / total);
    }
  }
}

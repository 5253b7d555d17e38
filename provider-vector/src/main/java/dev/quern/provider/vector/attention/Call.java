package dev.quern.provider.vector.attention;

import static dev.quern.provider.vector.attention.KvTile.POSITIONS;
import static dev.quern.provider.vector.lanes.Lanes.BYTES;
import static dev.quern.provider.vector.lanes.Lanes.F;
import static dev.quern.provider.vector.lanes.Lanes.F32;
import static dev.quern.provider.vector.lanes.Lanes.L;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.MAX;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.op.AttentionSpec;
import dev.quern.provider.vector.lanes.Exp;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.provider.vector.lanes.Split;
import dev.quern.provider.vector.lanes.Tanh;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// One call of attention. A task of it takes some queries, those of a few rows and of `heads` query
/// heads that read one KV head, through a range of positions, tile by tile. What a query has seen
/// is its state ([Layout]).
///
/// Query j of a task that begins at a row and a head is of row `row + j / heads`, head `head + j %
/// heads`. Offsets called `at` are those of the worker's scratch.
///
/// @param spec the operator
/// @param layout of scratch
/// @param q `[rows, heads * headDim]`
/// @param cache keys and values
/// @param firstPosition position of the first row
/// @param heads query heads of a task; divides the group
/// @param scratch of all workers
record Call(
    AttentionSpec spec,
    Layout layout,
    F32Matrix q,
    KvCache cache,
    int firstPosition,
    int heads,
    MemorySegment scratch) {

  /// Rows of a task.
  int rowsOfATask() {
    return Layout.QUERIES / heads;
  }

  private int queries(int row) {
    return (Math.min(q.rows(), row + rowsOfATask()) - row) * heads;
  }

  /// The first position of the first tile that a query sees a position of.
  ///
  /// @param position the query's
  int firstTile(int position) {
    return spec.firstVisible(position) / POSITIONS * POSITIONS;
  }

  /// All of attention for the task that begins at a row and a query head.
  void attend(int row, int head, F32Matrix y, long at) {
    int queries = queries(row);
    long states = at + layout.statesAt();
    int first = firstPosition + row;
    attend(row, head, firstTile(first), first + queries / heads, states, at);
    for (int j = 0; j < queries; j++) {
      finish(states + j * layout.stateBytes(), y, row + j / heads, head + j % heads);
    }
  }

  /// Takes the queries of a task through positions `from` (a multiple of POSITIONS) to `to`.
  ///
  /// @param states of its queries, one behind the other; written
  void attend(int row, int head, int from, int to, long states, long at) {
    int queries = queries(row);
    int headDim = spec.headDim();
    long stateBytes = layout.stateBytes();
    long tile = at + layout.tileAt();
    long queriesAt = at + layout.queriesAt();
    long scores = at + layout.scoresAt();
    int kvHead = head / (spec.heads() / spec.kvHeads());
    for (int j = 0; j < queries; j++) {
      long query = q.offsetBytes(row + j / heads, (head + j % heads) * headDim);
      MemorySegment.copy(q.data(), query, scratch, queriesAt + 4L * headDim * j, 4L * headDim);
      clear(states + j * stateBytes);
    }
    for (int t = from; t < to; t += POSITIONS) {
      int n = Math.min(POSITIONS, to - t);
      long element = ((long) kvHead * cache.capacity() + t) * headDim;
      keys(element, n, at);
      zero(scores, 4L * POSITIONS * queries);
      layout.scores().add(scratch, queriesAt, queries, headDim, scratch, tile, scores);
      for (int j = 0; j < queries; j++) {
        long of = scores + 4L * POSITIONS * j;
        if (spec.softCap() != 0) {
          Tanh.cap(scratch, of, spec.scale(), spec.softCap(), POSITIONS);
        }
        hide(of, 0, Math.min(n, hidden(row + j / heads, t)));
        hide(of, Math.max(0, Math.min(n, firstPosition + row + j / heads + 1 - t)), POSITIONS);
        weights(of, states + j * stateBytes, at);
      }
      values(element, n, row, t, states, at);
    }
  }

  /// Keys of n positions from an element of the cache on, to the tile.
  private void keys(long element, int n, long at) {
    boolean whole = layout.isWhole();
    MemorySegment data = whole ? cache.keys() : scratch;
    long from = whole ? element * elementBytes() : stage(cache.keys(), element, n, at);
    layout.tile().keys(data, from, n, scratch, at + layout.wordsAt(), at + layout.tileAt());
  }

  /// Adds the values of n positions, weighted.
  private void values(long element, int n, int row, int t, long states, long at) {
    boolean whole = layout.isWhole();
    MemorySegment data = whole ? cache.values() : scratch;
    long from = whole ? element * elementBytes() : stage(cache.values(), element, n, at);
    if (layout.tile().f16()) {
      long tile = at + layout.tileAt();
      layout.tile().values(data, from, n, scratch, tile);
      data = scratch;
      from = tile;
    }
    int queries = queries(row);
    long out = states + Split.LINE;
    long weights = at + layout.scoresAt();
    // Row by row where rows begin or end within the tile: a value that a query must not see may be
    // NaN, and a weight of 0 would not keep it out.
    boolean all = firstPosition + row + 1 - t >= n && hidden(row + queries / heads - 1, t) <= 0;
    int together = all ? queries : heads;
    for (int j = 0; j < queries; j += together) {
      int begin = Math.max(0, hidden(row + j / heads, t));
      int end = Math.min(n, firstPosition + row + j / heads + 1 - t);
      long a = weights + 4L * (POSITIONS * j + begin);
      long b = from + begin * layout.width() * (layout.tile().f16() ? 4 : elementBytes());
      long c = out + j * layout.stateBytes();
      layout.outputs().add(scratch, a, together, end - begin, data, b, c);
    }
  }

  /// How many positions from t on lie before a row's window; none if not above 0.
  private int hidden(int row, int t) {
    return spec.firstVisible(firstPosition + row) - t;
  }

  /// Scores of positions that a query must not see.
  private void hide(long scores, int from, int to) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    for (int t = from; t < to; t++) {
      s.set(F32, scores + 4L * t, Float.NEGATIVE_INFINITY);
    }
  }

  /// Copies n rows of the cache to scratch and fills them up to whole panels.
  private long stage(MemorySegment plane, long element, int n, long at) {
    long rowBytes = spec.headDim() * elementBytes();
    long staged = layout.width() * elementBytes();
    zero(at, n * staged);
    for (int i = 0; i < n; i++) {
      long from = element * elementBytes() + i * rowBytes;
      MemorySegment.copy(plane, from, scratch, at + i * staged, rowBytes);
    }
    return at;
  }

  private long elementBytes() {
    return cache.format().elementBytes();
  }

  /// No position seen.
  private void clear(long state) {
    zero(state, layout.stateBytes());
    scratch.set(F32, state, Float.NEGATIVE_INFINITY);
  }

  /// Turns a query's dot products with a tile's keys, or its capped scores, into weights, and
  /// brings its state to the new maximum.
  private void weights(long scores, long state, long at) {
    float scale = spec.softCap() != 0 ? 1 : spec.scale();
    long lanes = at + layout.tileAt(); // the keys are not needed any more
    float before = scratch.get(F32, state);
    float max = Math.max(before, scale * largest(scores));
    // Where every score is -infinity, nothing must come out as NaN yet.
    float base = max == Float.NEGATIVE_INFINITY ? 0 : max;
    Exp.weights(scratch, scores, scale, -base, POSITIONS, lanes);
    float total = scratch.get(F32, state + 4);
    if (max != before) {
      float correction = (float) Math.exp(before - base);
      total *= correction;
      scale(state + Split.LINE, correction);
    }
    scratch.set(F32, state, max);
    scratch.set(F32, state + 4, total + Lanes.sum(scratch, lanes));
  }

  /// The largest score that is a number. One that is not becomes a weight that is not, and so do
  /// all that are summed with it.
  private float largest(long scores) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    FloatVector max = FloatVector.fromMemorySegment(F, s, scores, LITTLE_ENDIAN);
    for (int t = L; t < POSITIONS; t += L) {
      FloatVector v = FloatVector.fromMemorySegment(F, s, scores + 4L * t, LITTLE_ENDIAN);
      // Not max, which takes seven instructions for the sake of NaN and zeros; and of v, not of the
      // maximum so far: see Lanes.
      max = v.blend(max, v.compare(GT, max).not());
    }
    return max.reduceLanes(MAX);
  }

  private void zero(long from, long bytes) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    for (long i = 0; i < bytes; i += BYTES) {
      FloatVector.zero(F).intoMemorySegment(s, from + i, LITTLE_ENDIAN);
    }
  }

  private void scale(long out, float factor) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    for (int d = 0; d < layout.width(); d += L) {
      FloatVector.fromMemorySegment(F, s, out + 4L * d, LITTLE_ENDIAN)
          .mul(factor)
          .intoMemorySegment(s, out + 4L * d, LITTLE_ENDIAN);
    }
  }

  /// Makes one state, the first, of those of a query after successive ranges of positions.
  ///
  /// @param state of the first range
  /// @param stride from one to the next, in bytes
  void merge(long state, int ranges, long stride) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < ranges; i++) {
      max = Math.max(max, scratch.get(F32, state + i * stride));
    }
    float base = max == Float.NEGATIVE_INFINITY ? 0 : max;
    float total = 0;
    for (int i = 0; i < ranges; i++) {
      long part = state + i * stride;
      float factor = (float) Math.exp(scratch.get(F32, part) - base);
      total += scratch.get(F32, part + 4) * factor;
      if (i == 0) {
        scale(state + Split.LINE, factor);
      } else {
        add(part + Split.LINE, factor, state + Split.LINE);
      }
    }
    scratch.set(F32, state + 4, total);
  }

  private void add(long from, float factor, long out) {
    MemorySegment s = Lanes.OFF_HEAP.cast(scratch);
    for (int d = 0; d < layout.width(); d += L) {
      FloatVector.fromMemorySegment(F, s, from + 4L * d, LITTLE_ENDIAN)
          .fma(
              FloatVector.broadcast(F, factor),
              FloatVector.fromMemorySegment(F, s, out + 4L * d, LITTLE_ENDIAN))
          .intoMemorySegment(s, out + 4L * d, LITTLE_ENDIAN);
    }
  }

  /// Writes a head of y from its query's state.
  void finish(long state, F32Matrix y, int row, int head) {
    long out = state + Split.LINE;
    long to = y.offsetBytes(row, head * spec.headDim());
    float total = scratch.get(F32, state + 4);
    int whole = Lanes.whole(spec.headDim());
    for (int d = 0; d < whole; d += L) {
      FloatVector.fromMemorySegment(F, scratch, out + 4L * d, LITTLE_ENDIAN)
          .div(total)
          .intoMemorySegment(y.data(), to + 4L * d, LITTLE_ENDIAN);
    }
    for (int d = whole; d < spec.headDim(); d++) {
      y.data().set(F32, to + 4L * d, scratch.get(F32, out + 4L * d) / total);
    }
  }
}

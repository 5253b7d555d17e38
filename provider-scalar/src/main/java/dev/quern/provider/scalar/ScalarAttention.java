package dev.quern.provider.scalar;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.SequenceRows;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Causal attention, one row and query head at a time:
///
/// ```
/// w[t] = softmax over t in first .. p of cap(scale * Σ_d q[d] * K[t][d])
/// y[d] = Σ_t w[t] * V[t][d]
/// ```
///
/// Scores are double precision, so that none can overflow. Scratch:
///
/// ```
/// weights: f64[min(window, maxPositions)]   of each worker
/// ```
record ScalarAttention(AttentionSpec spec) implements AttentionKernel {
  @Override
  public long scratchBytes(int rows, int parallelism) {
    return parallelism * weightBytes();
  }

  private long weightBytes() {
    int last = spec.maxPositions() - 1; // sees most
    return Scratch.align((long) (last - spec.firstVisible(last) + 1) * Double.BYTES);
  }

  @Override
  public void append(F32Matrix k, F32Matrix v, KvCache c, int position, Workspace w) {
    append(k, v, List.of(new SequenceRows(k.rows(), c, position)), w);
  }

  @Override
  public void append(F32Matrix k, F32Matrix v, List<SequenceRows> batch, Workspace w) {
    forEachHead(
        batch,
        k.rows(),
        spec.kvHeads(),
        w.workers(),
        (c, position, row, kvHead, _) -> {
          long element = element(c, kvHead, position);
          store(k, row, kvHead * spec.headDim(), c.keys(), element);
          store(v, row, kvHead * spec.headDim(), c.values(), element);
        });
  }

  @Override
  public void apply(F32Matrix q, KvCache c, int firstPosition, F32Matrix y, Workspace w) {
    apply(q, List.of(new SequenceRows(q.rows(), c, firstPosition)), y, w);
  }

  @Override
  public void apply(F32Matrix q, List<SequenceRows> batch, F32Matrix y, Workspace w) {
    Call call = new Call(q, y, w.scratch());
    forEachHead(
        batch,
        q.rows(),
        spec.heads(),
        w.workers(),
        (c, position, row, head, worker) ->
            attend(call, c, position, row, head, worker * weightBytes()));
  }

  /// What all heads of all rows have in common.
  private record Call(F32Matrix q, F32Matrix y, MemorySegment scratch) {}

  /// A head of a row, whose sequence has that cache, and the row that position in it.
  private interface HeadOfARow {
    void run(KvCache cache, int position, int row, int head, int worker);
  }

  private static void forEachHead(
      List<SequenceRows> batch, int rows, int heads, Workers workers, HeadOfARow work) {
    long items = (long) rows * heads;
    int tasks = Split.tasks(items, workers);
    workers.run(
        tasks,
        (task, worker) -> {
          int s = 0;
          int first = 0; // row of sequence s
          long end = Split.begin(items, task + 1, tasks);
          for (long i = Split.begin(items, task, tasks); i < end; i++) {
            int row = (int) (i / heads);
            while (row >= first + batch.get(s).rows()) {
              first += batch.get(s++).rows();
            }
            SequenceRows sequence = batch.get(s);
            int position = sequence.firstPosition() + row - first;
            work.run(sequence.cache(), position, row, (int) (i % heads), worker);
          }
        });
  }

  /// One head of one row; `weights` is this worker's scratch.
  private void attend(Call call, KvCache c, int position, int row, int head, long weights) {
    F32Matrix q = call.q;
    F32Matrix y = call.y;
    MemorySegment scratch = call.scratch;
    int headDim = spec.headDim();
    int kvHead = head / (spec.heads() / spec.kvHeads());
    int first = spec.firstVisible(position);
    int visible = position - first + 1; // t counts from the first
    long element = element(c, kvHead, first);

    double max = Double.NEGATIVE_INFINITY; // NaN if a score is: Math.max keeps it
    long query = q.offsetBytes(row, head * headDim);
    for (int t = 0; t < visible; t++) {
      double score =
          capped(spec.scale() * dot(q.data(), query, c.keys(), element + (long) t * headDim));
      scratch.set(JAVA_DOUBLE, weights + 8L * t, score);
      max = Math.max(max, score);
    }

    double sum = 0;
    for (int t = 0; t < visible; t++) {
      double e = Math.exp(scratch.get(JAVA_DOUBLE, weights + 8L * t) - max);
      scratch.set(JAVA_DOUBLE, weights + 8L * t, e);
      sum += e;
    }

    long out = y.offsetBytes(row, head * headDim);
    for (int d = 0; d < headDim; d++) {
      y.data().set(JAVA_FLOAT, out + 4L * d, 0f);
    }
    for (int t = 0; t < visible; t++) {
      float weight = (float) (scratch.get(JAVA_DOUBLE, weights + 8L * t) / sum);
      add(weight, c.values(), element + (long) t * headDim, y.data(), out);
    }
  }

  private double capped(double score) {
    float cap = spec.softCap();
    return cap == 0 ? score : cap * Math.tanh(score / cap);
  }

  /// Σ_d q[d] * K[d]; two sums at a time, since one alone would wait for each addition to end.
  private double dot(MemorySegment q, long query, MemorySegment keys, long element) {
    int headDim = spec.headDim();
    boolean f16 = isF16();
    double even = 0;
    double odd = 0;
    int d = 0;
    for (; d < headDim - 1; d += 2) {
      even += (double) q.get(JAVA_FLOAT, query + 4L * d) * load(keys, f16, element + d);
      odd += (double) q.get(JAVA_FLOAT, query + 4L * d + 4) * load(keys, f16, element + d + 1);
    }
    if (d < headDim) {
      even += (double) q.get(JAVA_FLOAT, query + 4L * d) * load(keys, f16, element + d);
    }
    return even + odd;
  }

  /// y[d] += weight * V[d]
  private void add(float weight, MemorySegment values, long element, MemorySegment y, long out) {
    int headDim = spec.headDim();
    boolean f16 = isF16();
    for (int d = 0; d < headDim; d++) {
      float value = weight * load(values, f16, element + d);
      y.set(JAVA_FLOAT, out + 4L * d, y.get(JAVA_FLOAT, out + 4L * d) + value);
    }
  }

  /// Stores headDim floats of a row as elements of the cache.
  private void store(F32Matrix from, int row, int col, MemorySegment plane, long element) {
    long at = from.offsetBytes(row, col);
    boolean f16 = isF16();
    for (int d = 0; d < spec.headDim(); d++) {
      float value = from.data().get(JAVA_FLOAT, at + 4L * d);
      if (f16) {
        plane.set(JAVA_SHORT, 2 * (element + d), Float.floatToFloat16(value));
      } else {
        plane.set(JAVA_FLOAT, 4 * (element + d), value);
      }
    }
  }

  private static float load(MemorySegment plane, boolean f16, long element) {
    return f16
        ? Float.float16ToFloat(plane.get(JAVA_SHORT, 2 * element))
        : plane.get(JAVA_FLOAT, 4 * element);
  }

  private boolean isF16() {
    return spec.kv().equals(KvFormat.F16);
  }

  /// Index of the first element of a head at a position of the cache.
  private long element(KvCache c, int kvHead, int position) {
    return ((long) kvHead * c.capacity() + position) * spec.headDim();
  }
}

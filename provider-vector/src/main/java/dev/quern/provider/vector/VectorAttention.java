package dev.quern.provider.vector;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import java.lang.foreign.MemorySegment;

/// Causal attention in one pass over the positions, with a running maximum (online softmax; Milakov
/// and Gimelshein 2018, Dao et al. 2022).
///
/// A task takes one KV head and some queries: those of a few rows and of the query heads that read
/// that KV head. It goes through the positions in blocks, which are widened to F32 in scratch once
/// and used for all its queries. Blocks begin at fixed positions and queries never meet, so a
/// result depends neither on the batch nor on the split.
record VectorAttention(AttentionSpec spec) implements AttentionKernel {
  /// Queries of a task, at most.
  private static final int QUERIES = 24;

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return parallelism * AttentionBlock.scratchBytes(spec.headDim(), QUERIES);
  }

  @Override
  public void append(F32Matrix k, F32Matrix v, KvCache c, int position, Workspace w) {
    int kvHeads = spec.kvHeads();
    long items = (long) k.rows() * kvHeads;
    int tasks = Split.tasks(items, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              long end = Split.begin(items, task + 1, tasks);
              for (long i = Split.begin(items, task, tasks); i < end; i++) {
                int row = (int) (i / kvHeads);
                int kvHead = (int) (i % kvHeads);
                long element = element(c, kvHead, position + row);
                store(k, row, kvHead * spec.headDim(), c.keys(), element);
                store(v, row, kvHead * spec.headDim(), c.values(), element);
              }
            });
  }

  /// Stores headDim floats of a row as elements of the cache.
  private void store(F32Matrix from, int row, int col, MemorySegment plane, long element) {
    long at = from.offsetBytes(row, col);
    if (isF16()) {
      for (int d = 0; d < spec.headDim(); d++) {
        float value = from.data().get(JAVA_FLOAT, at + 4L * d);
        plane.set(JAVA_SHORT, 2 * (element + d), Float.floatToFloat16(value));
      }
    } else {
      MemorySegment.copy(from.data(), at, plane, 4 * element, 4L * spec.headDim());
    }
  }

  @Override
  public void apply(F32Matrix q, KvCache c, int firstPosition, F32Matrix y, Workspace w) {
    int group = spec.heads() / spec.kvHeads();
    int heads = headsOfATask(q.rows(), group, w.workers().parallelism());
    int rows = Math.max(1, QUERIES / heads);
    int headTasks = Math.ceilDiv(group, heads);
    int rowTasks = Math.ceilDiv(q.rows(), rows);
    MemorySegment scratch = w.scratch();
    long bytes = AttentionBlock.scratchBytes(spec.headDim(), QUERIES);
    w.workers()
        .run(
            rowTasks * spec.kvHeads() * headTasks,
            (task, worker) -> {
              int rowTask = task / (spec.kvHeads() * headTasks);
              int kvHead = task / headTasks % spec.kvHeads();
              int head = task % headTasks * heads;
              attend(
                  q,
                  c,
                  firstPosition,
                  y,
                  rowTask * rows,
                  Math.min(q.rows(), (rowTask + 1) * rows),
                  kvHead,
                  kvHead * group + head,
                  Math.min(heads, group - head),
                  scratch,
                  worker * bytes);
            });
  }

  /// Query heads of a task: all of a group, since they share the widened keys and values, but fewer
  /// where workers would go without.
  private int headsOfATask(int rows, int group, int parallelism) {
    int heads = Math.min(group, QUERIES);
    while (heads > 1 && (long) rows * spec.kvHeads() * Math.ceilDiv(group, heads) < parallelism) {
      heads = Math.ceilDiv(heads, 2);
    }
    return heads;
  }

  /// Rows begin (inclusive) to end (exclusive), `heads` query heads from `head`.
  private void attend(
      F32Matrix q,
      KvCache c,
      int firstPosition,
      F32Matrix y,
      int begin,
      int end,
      int kvHead,
      int head,
      int heads,
      MemorySegment scratch,
      long at) {
    int queries = (end - begin) * heads;
    int positions = firstPosition + end;
    AttentionBlock block = new AttentionBlock(spec, q, begin, head, heads, queries, scratch, at);
    block.clear();
    for (int t = 0; t < positions; t += AttentionBlock.POSITIONS) {
      int n = Math.min(AttentionBlock.POSITIONS, positions - t);
      long element = element(c, kvHead, t);
      block.widen(c, element, n);
      block.score(n);
      for (int j = 0; j < queries; j++) {
        int visible = Math.min(n, firstPosition + begin + j / heads + 1 - t);
        if (visible > 0) {
          block.addValues(j, visible);
        }
      }
    }
    for (int j = 0; j < queries; j++) {
      block.finish(j, y, y.offsetBytes(begin + j / heads, (head + j % heads) * spec.headDim()));
    }
  }

  private boolean isF16() {
    return spec.kv().equals(KvFormat.F16);
  }

  /// Index of the first element of a head at a position of the cache.
  private long element(KvCache c, int kvHead, int position) {
    return ((long) kvHead * c.capacity() + position) * spec.headDim();
  }
}

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
  @Override
  public long scratchBytes(int rows, int parallelism) {
    return parallelism * AttentionCall.scratchBytes(spec.headDim());
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
    int heads = headsOfATask(q.rows(), w.workers().parallelism());
    AttentionCall call = new AttentionCall(spec, q, c, firstPosition, y, heads, w.scratch());
    int headTasks = spec.heads() / heads;
    w.workers()
        .run(
            Math.ceilDiv(q.rows(), call.rows()) * headTasks,
            (task, worker) ->
                call.attend(
                    task / headTasks * call.rows(),
                    task % headTasks * heads,
                    worker * AttentionCall.scratchBytes(spec.headDim())));
  }

  /// Query heads of a task: all of a group, since they share the widened keys and values, but a
  /// part of it where it is larger than a task or where workers would go without.
  private int headsOfATask(int rows, int parallelism) {
    int group = spec.heads() / spec.kvHeads();
    int heads = group;
    while (heads > 1
        && (group % heads != 0
            || heads > AttentionCall.QUERIES
            || (long) rows * (spec.heads() / heads) < parallelism)) {
      heads--;
    }
    return heads;
  }

  private boolean isF16() {
    return spec.kv().equals(KvFormat.F16);
  }

  /// Index of the first element of a head at a position of the cache.
  private long element(KvCache c, int kvHead, int position) {
    return ((long) kvHead * c.capacity() + position) * spec.headDim();
  }
}

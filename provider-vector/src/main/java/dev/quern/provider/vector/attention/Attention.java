package dev.quern.provider.vector.attention;

import static dev.quern.provider.vector.lanes.Lanes.F32;
import static dev.quern.provider.vector.lanes.Lanes.I16;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.KvFormat;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.vector.lanes.Split;
import dev.quern.spi.Variant;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Causal attention in one pass over the positions, with a running maximum (online softmax; Milakov
/// and Gimelshein 2018, Dao et al. 2022). Tiles begin at fixed positions and queries never meet, so
/// a result depends neither on the batch nor on the split.
///
/// Several rows: a task takes a block of rows and the query heads that read one KV head through all
/// positions. One row: the positions are cut into ranges of fixed length too, since a long context
/// has more work than a KV head for each worker; the caller merges what became of the ranges (Dao
/// et al. 2023, "Flash-Decoding"). With a window both begin with the first tile that a row sees a
/// position of; what lies before is not looked at.
///
/// ```
/// scratch:  states[ranges][heads]   of one row, the ranges that it sees
///           then for each worker what Layout says
/// ```
public final class Attention implements AttentionKernel {
  /// Positions of a range: a multiple of a tile's.
  private static final int RANGE = 512;

  /// Floats that make a task of an append, at least: less is not worth a wake-up.
  private static final int APPENDED = 4096;

  private final AttentionSpec spec;
  private final Layout layout;

  public Attention(AttentionSpec spec) {
    this.spec = spec;
    layout = Layout.of(spec);
  }

  /// The variants of the offer.
  public static List<Variant> variants() {
    return List.of(
        new Variant("f32-ranges", 1, Numerics.EXACT_F32),
        new Variant("f32-tiles", 2, Numerics.EXACT_F32));
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return workersAt() + parallelism * layout.scratchBytes();
  }

  @Override
  public void append(F32Matrix k, F32Matrix v, KvCache c, int position, Workspace w) {
    int kvHeads = spec.kvHeads();
    long items = (long) k.rows() * kvHeads;
    Split.run(
        items,
        Math.ceilDiv(APPENDED, 2 * spec.headDim()),
        w.workers(),
        (begin, end, _) -> {
          for (long i = begin; i < end; i++) {
            int row = (int) (i / kvHeads);
            int kvHead = (int) (i % kvHeads);
            long element = ((long) kvHead * c.capacity() + position + row) * spec.headDim();
            store(k, row, kvHead * spec.headDim(), c.keys(), element);
            store(v, row, kvHead * spec.headDim(), c.values(), element);
          }
        });
  }

  /// Stores headDim floats of a row as elements of the cache.
  private void store(F32Matrix from, int row, int col, MemorySegment plane, long element) {
    long at = from.offsetBytes(row, col);
    if (spec.kv().equals(KvFormat.F16)) {
      for (int d = 0; d < spec.headDim(); d++) {
        float value = from.data().get(F32, at + 4L * d);
        plane.set(I16, 2 * (element + d), Float.floatToFloat16(value));
      }
    } else {
      MemorySegment.copy(from.data(), at, plane, 4 * element, 4L * spec.headDim());
    }
  }

  @Override
  public void apply(F32Matrix q, KvCache c, int firstPosition, F32Matrix y, Workspace w) {
    Call call = new Call(spec, layout, q, c, firstPosition, headsOfATask(), w.scratch());
    if (q.rows() == 1) {
      ranges(call, y, w.workers());
    } else {
      tiles(call, y, w.workers());
    }
  }

  private void tiles(Call call, F32Matrix y, Workers workers) {
    int heads = call.heads();
    int headTasks = spec.heads() / heads;
    workers.run(
        Math.ceilDiv(y.rows(), call.rowsOfATask()) * headTasks,
        (task, worker) ->
            call.attend(
                task / headTasks * call.rowsOfATask(),
                task % headTasks * heads,
                y,
                workerAt(worker)));
  }

  private void ranges(Call call, F32Matrix y, Workers workers) {
    int heads = call.heads();
    int headTasks = spec.heads() / heads;
    int positions = call.firstPosition() + 1;
    int begin = call.firstTile(call.firstPosition());
    int firstRange = begin / RANGE;
    int ranges = Math.ceilDiv(positions, RANGE) - firstRange;
    long stateBytes = layout.stateBytes();
    long rangeBytes = spec.heads() * stateBytes;
    workers.run(
        ranges * headTasks,
        (task, worker) -> {
          int range = task / headTasks;
          int head = task % headTasks * heads;
          int from = (firstRange + range) * RANGE;
          call.attend(
              0,
              head,
              Math.max(begin, from),
              Math.min(positions, from + RANGE),
              range * rangeBytes + head * stateBytes,
              workerAt(worker));
        });
    for (int head = 0; head < spec.heads(); head++) {
      call.merge(head * stateBytes, ranges, rangeBytes);
      call.finish(head * stateBytes, y, 0, head);
    }
  }

  /// Query heads of a task: all of a group, since they share the tile, or the largest part of it
  /// that a task has room for.
  private int headsOfATask() {
    int group = spec.heads() / spec.kvHeads();
    int heads = Math.min(group, Layout.QUERIES);
    while (group % heads != 0) {
      heads--;
    }
    return heads;
  }

  private long workersAt() {
    long ranges = Math.ceilDiv(spec.maxPositions(), RANGE);
    if (spec.window() > 0) { // it may begin with the last position of a range
      ranges = Math.min(ranges, Math.ceilDiv(spec.window() - 1, RANGE) + 1);
    }
    return ranges * spec.heads() * layout.stateBytes();
  }

  private long workerAt(int worker) {
    return workersAt() + worker * layout.scratchBytes();
  }
}

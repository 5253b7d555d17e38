package dev.quern.provider.x86.activation;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.SequenceRows;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.provider.x86.memory.Split;
import dev.quern.provider.x86.memory.WideRoutine;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Attention by [AttentionCode], range by range of positions, each of which begins with nothing
/// seen; what became of them is folded in their order. So a query's bits depend neither on the rows
/// and heads beside it, nor on the split, nor on the number of workers.
///
/// Several rows: a task takes a block of rows and the query heads that read one KV head through all
/// ranges. One row: ranges are tasks, since a long context has more work than a KV head for each
/// worker; the caller folds.
///
/// ```
/// scratch:  states[ranges][heads]   of one row
///           then for each worker what AttentionLayout says
/// ```
final class X86Attention implements AttentionKernel {
  /// Positions of a range: a multiple of a tile's.
  static final int RANGE = 512;

  private static final int TASKS_PER_WORKER = 8;

  private final AttentionSpec spec;
  private final AttentionLayout layout;
  private final WideRoutine attend;
  private final WideRoutine fold;
  private final WideRoutine finish;
  private final WideRoutine append;

  /// Query heads of a task: all of a group, since they share the tile, or the largest part of it
  /// that a task has room for.
  private final int heads;

  /// @param routines attend, fold, finish, append
  X86Attention(AttentionSpec spec, AttentionLayout layout, List<WideRoutine> routines) {
    this.spec = spec;
    this.layout = layout;
    attend = routines.get(0);
    fold = routines.get(1);
    finish = routines.get(2);
    append = routines.get(3);
    heads = headsOfATask(spec.heads() / spec.kvHeads());
  }

  private static int headsOfATask(int group) {
    int heads = Math.min(group, AttentionLayout.QUERIES);
    while (group % heads != 0) {
      heads--;
    }
    return heads;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return workersAt() + parallelism * layout.workerBytes();
  }

  private long workersAt() {
    return Math.ceilDiv(spec.maxPositions(), RANGE) * rangeBytes();
  }

  private long workerAt(int worker) {
    return workersAt() + worker * layout.workerBytes();
  }

  /// Bytes of the states of all heads.
  private long rangeBytes() {
    return spec.heads() * layout.stateBytes();
  }

  @Override
  public void append(F32Matrix k, F32Matrix v, KvCache c, int position, Workspace w) {
    append(k, v, List.of(new SequenceRows(k.rows(), c, position)), w);
  }

  @Override
  public void append(F32Matrix k, F32Matrix v, List<SequenceRows> batch, Workspace w) {
    int rows = k.rows();
    int tasks = Split.tasks(rows, TASKS_PER_WORKER, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              int begin = (int) Split.begin(rows, task, tasks);
              int end = (int) Split.begin(rows, task + 1, tasks);
              long arguments = workerAt(worker);
              int first = 0; // row of a sequence
              for (int i = 0; i < batch.size() && first < end; i++) {
                SequenceRows s = batch.get(i);
                for (int r = Math.max(begin, first); r < Math.min(end, first + s.rows()); r++) {
                  int position = s.firstPosition() + r - first;
                  KvCache c = s.cache();
                  store(k, r, c.keys(), c.capacity(), position, w.scratch(), arguments);
                  store(v, r, c.values(), c.capacity(), position, w.scratch(), arguments);
                }
                first += s.rows();
              }
            });
  }

  private void store(
      F32Matrix from,
      int row,
      MemorySegment plane,
      int capacity,
      int position,
      MemorySegment scratch,
      long arguments) {
    MemorySegment floats = from.data();
    AttentionStates.arguments(
        scratch,
        arguments,
        floats.address() + from.offsetBytes(row, 0),
        plane.address() + (long) position * layout.positionBytes(),
        spec.kvHeads(),
        (long) capacity * layout.positionBytes());
    append.call(scratch.address() + arguments, scratch, floats, floats, floats, plane);
  }

  @Override
  public void apply(F32Matrix q, KvCache c, int firstPosition, F32Matrix y, Workspace w) {
    Call call = new Call(q, c, firstPosition, y, w.scratch());
    if (q.rows() == 1) {
      oneRow(call, w.workers());
    } else {
      rows(call, w.workers());
    }
  }

  /// What all tasks of a call have in common: one object, since workers are handed it.
  ///
  /// @param firstPosition of the first row
  /// @param scratch of all workers
  private record Call(
      F32Matrix q, KvCache cache, int firstPosition, F32Matrix y, MemorySegment scratch) {}

  /// Several sequences' tasks are one run. One row's are not cut into ranges here: other sequences
  /// keep the workers busy, and the bits are the same.
  @Override
  public void apply(F32Matrix q, List<SequenceRows> batch, F32Matrix y, Workspace w) {
    if (batch.size() == 1) {
      apply(q, batch.getFirst().cache(), batch.getFirst().firstPosition(), y, w);
      return;
    }
    Blocks[] all = new Blocks[batch.size()];
    int row = 0;
    int tasks = 0;
    for (int i = 0; i < all.length; i++) {
      SequenceRows s = batch.get(i);
      int end = row + s.rows();
      F32Matrix rows = q.rowRange(row, end);
      F32Matrix results = y.rowRange(row, end);
      Call call = new Call(rows, s.cache(), s.firstPosition(), results, w.scratch());
      all[i] = blocks(call, tasks, w.workers());
      tasks += all[i].tasks();
      row = end;
    }
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              int i = 0;
              while (task >= all[i].firstTask + all[i].tasks()) {
                i++;
              }
              run(all[i], task, worker);
            });
  }

  private void rows(Call call, Workers workers) {
    Blocks blocks = blocks(call, 0, workers);
    workers.run(blocks.tasks(), (task, worker) -> run(blocks, task, worker));
  }

  /// How a sequence's rows are cut into tasks.
  ///
  /// @param firstTask of the run
  /// @param rowsOfATask most rows of a task
  /// @param headTasks tasks for the same rows
  private record Blocks(Call call, int firstTask, int rowsOfATask, int headTasks) {
    int rowTasks() {
      return Math.ceilDiv(call.q.rows(), rowsOfATask);
    }

    int tasks() {
      return rowTasks() * headTasks;
    }
  }

  private Blocks blocks(Call call, int firstTask, Workers workers) {
    int headTasks = spec.heads() / heads;
    return new Blocks(call, firstTask, rowsOfATask(call.q.rows(), headTasks, workers), headTasks);
  }

  private void run(Blocks blocks, int task, int worker) {
    int own = task - blocks.firstTask;
    // The last rows see most: first of all.
    int row = (blocks.rowTasks() - 1 - own / blocks.headTasks) * blocks.rowsOfATask;
    int rows = Math.min(blocks.call.q.rows() - row, blocks.rowsOfATask);
    block(blocks.call, row, rows, own % blocks.headTasks * heads, workerAt(worker));
  }

  /// As many as a task has room for, since they share the bringing of a tile to F32; but enough
  /// tasks for all workers.
  private int rowsOfATask(int rows, int headTasks, Workers workers) {
    int tasks = Split.tasks((long) rows * headTasks, TASKS_PER_WORKER, workers);
    int most = Math.max(1, AttentionLayout.QUERIES / heads);
    return Math.clamp(rows / Math.ceilDiv(tasks, headTasks), 1, most);
  }

  /// Some rows and the heads of a task from a head on, through all ranges.
  ///
  /// @param at where the worker's scratch begins
  private void block(Call call, int row, int rows, int head, long at) {
    MemorySegment scratch = call.scratch;
    long states = at + layout.statesAt();
    long more = at + layout.moreAt();
    int first = call.firstPosition + row;
    queries(call.q, row, rows, head, scratch, at);
    for (int range = 0; range < Math.ceilDiv(first + rows, RANGE); range++) {
      int from = range * RANGE;
      int blind = blind(first, from);
      long skipped = blind * heads * layout.stateBytes();
      attend(call, row, rows, head, from, at, (from == 0 ? states : more) + skipped);
      if (from > 0) {
        fold(scratch, at, states + skipped, more + skipped, (rows - blind) * heads);
      }
    }
    for (int r = 0; r < rows; r++) {
      finish(call.y, row + r, head, heads, scratch, at, states + r * heads * layout.stateBytes());
    }
  }

  /// How many rows see nothing of a range, since it begins behind them.
  ///
  /// @param position of the first row
  /// @param from the range's first position
  private static int blind(int position, int from) {
    return Math.max(0, from - position);
  }

  private void oneRow(Call call, Workers workers) {
    MemorySegment scratch = call.scratch;
    int headTasks = spec.heads() / heads;
    int ranges = Math.ceilDiv(call.firstPosition + 1, RANGE);
    workers.run(
        ranges * headTasks,
        (task, worker) -> {
          int from = task / headTasks * RANGE;
          int head = task % headTasks * heads;
          long at = workerAt(worker);
          queries(call.q, 0, 1, head, scratch, at);
          long states = task / headTasks * rangeBytes() + head * layout.stateBytes();
          attend(call, 0, 1, head, from, at, states);
        });
    long at = workerAt(0);
    for (int range = 1; range < ranges; range++) {
      fold(scratch, at, 0, range * rangeBytes(), spec.heads());
    }
    finish(call.y, 0, 0, spec.heads(), scratch, at, 0);
  }

  /// Copies the queries of a task, row by row, filled up with zeros.
  private void queries(F32Matrix q, int row, int rows, int head, MemorySegment scratch, long at) {
    long headBytes = (long) Float.BYTES * spec.headDim();
    long to = at + layout.queriesAt();
    for (int r = row; r < row + rows; r++) {
      long from = q.offsetBytes(r, head * spec.headDim());
      for (int h = 0; h < heads; h++) {
        MemorySegment.copy(q.data(), from, scratch, to, headBytes);
        for (long zero = headBytes; zero < layout.rowBytes(); zero += Float.BYTES) {
          scratch.set(JAVA_FLOAT, to + zero, 0f);
        }
        from += headBytes;
        to += layout.rowBytes();
      }
    }
  }

  /// The rows and heads of a task, and the range from a position on.
  ///
  /// @param at where the worker's scratch begins
  /// @param states of the first row that sees any of the range
  private void attend(Call call, int row, int rows, int head, int from, long at, long states) {
    KvCache c = call.cache;
    MemorySegment scratch = call.scratch;
    int first = call.firstPosition + row;
    int blind = blind(first, from);
    long kvHead = head / (spec.heads() / spec.kvHeads());
    long cached = (kvHead * c.capacity() + from) * layout.positionBytes();
    AttentionCode.range(
        scratch,
        at,
        c.keys().address() + cached,
        c.values().address() + cached,
        Math.min(first + rows - from, RANGE),
        first + blind + 1 - from);
    AttentionCode.queries(
        scratch,
        at,
        rows - blind,
        heads,
        scratch.address() + at + layout.queriesAt() + (long) blind * heads * layout.rowBytes());
    AttentionCode.softmax(
        scratch, at, scratch.address() + states, scratch.address() + at, spec.scale());
    attend.call(scratch.address() + at, scratch, c.keys(), c.values(), c.values(), scratch);
  }

  private void fold(MemorySegment scratch, long at, long states, long later, int count) {
    AttentionStates.arguments(
        scratch, at, scratch.address() + states, scratch.address() + later, count);
    fold.call(scratch.address() + at, scratch, scratch, scratch, scratch, scratch);
  }

  private void finish(
      F32Matrix y, int row, int head, int count, MemorySegment scratch, long at, long states) {
    AttentionStates.arguments(
        scratch,
        at,
        scratch.address() + states,
        y.data().address() + y.offsetBytes(row, head * spec.headDim()),
        count);
    finish.call(scratch.address() + at, scratch, scratch, scratch, scratch, y.data());
  }
}

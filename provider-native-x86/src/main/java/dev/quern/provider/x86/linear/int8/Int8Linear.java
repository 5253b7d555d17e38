package dev.quern.provider.x86.linear.int8;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.provider.x86.linear.panel.PanelLayout;
import dev.quern.provider.x86.linear.panel.PanelWeights;
import dev.quern.provider.x86.linear.panel.ProductArguments;
import dev.quern.provider.x86.memory.Routine;
import dev.quern.provider.x86.memory.Split;
import java.lang.foreign.MemorySegment;

/// `y = x·Wᵀ` in int8: rows of x are rounded once, in tiles, then the workers split the panels. A
/// row's bits do not depend on how many rows there are: in tiles of every height the integer sums
/// of a block are exact, and the F32 sum over blocks runs in their order.
///
/// Where products of tall tiles read unpacked panels, a worker unpacks a group of panels, and all
/// tall tiles meet it before the next group.
///
/// Scratch:
///
/// ```
/// arguments of each worker: 128 bytes[parallelism] | tiles (RoundedTile) of as many rows as the
///   unit takes, the last of what is left
/// if rows are as many as need unpacked panels, of each worker, in lines:
///   integers of AmxProduct: 4 KiB, at a multiple of that | a group of panels | what is read behind
/// ```
public final class Int8Linear implements LinearKernel {
  private static final int ARGUMENT_BYTES = 128;
  private static final int TASKS_PER_WORKER = 8;

  /// Bytes of panels that are met by all tiles before the next ones: they stay in the second-level
  /// cache.
  private static final int CACHED_BYTES = 1 << 18;

  /// The same of unpacked panels, which are there for more rows: half of that cache, 2 MiB on all
  /// CPUs that have tiles.
  static final int UNPACKED_BYTES = 1 << 20;

  private final LinearSpec spec;
  private final Int8Code code;
  private final PanelWeights weights;
  private final PanelLayout unpacked;

  /// @param weights as the unit's panels of the format lie ([Int8Code#pack])
  public Int8Linear(LinearSpec spec, Int8Code code, PanelWeights weights) {
    this.spec = spec;
    this.code = code;
    this.weights = weights;
    unpacked = code.unit().layout(code.format()).unpacked();
  }

  @Override
  public boolean retainsSource() {
    return false;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    long tilesEnd = tilesAt(parallelism) + rows * rowBytes();
    return unpacks(rows) ? Split.align(tilesEnd) + parallelism * unpackedBytes() : tilesEnd;
  }

  private static long tilesAt(int parallelism) {
    return (long) ARGUMENT_BYTES * parallelism;
  }

  /// Whether so many rows have a tile whose product reads unpacked panels.
  private boolean unpacks(int rows) {
    return code.unit().unpacks(Math.min(rows, code.unit().maxRows()));
  }

  /// Bytes that a worker has for unpacked panels.
  private long unpackedBytes() {
    return Split.align(
        2 * AmxProduct.INTEGER_BYTES
            + group() * unpacked.bytes(weights.blocks())
            + AmxProduct.BLOCKS_BEHIND * unpacked.blockBytes());
  }

  /// How many panels are unpacked at a time.
  private int group() {
    return Math.clamp(UNPACKED_BYTES / unpacked.bytes(weights.blocks()), 1, weights.count());
  }

  /// Bytes of a rounded row.
  private long rowBytes() {
    return code.tile(1).rowBytes(weights.blocks());
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    long tiles = tilesAt(w.workers().parallelism());
    round(x, w, tiles);
    int panels = weights.count();
    int tasks = Split.tasks(panels, TASKS_PER_WORKER, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) ->
                multiply(
                    y,
                    (int) Split.begin(panels, task, tasks),
                    (int) Split.begin(panels, task + 1, tasks),
                    w,
                    worker));
  }

  /// Tile by tile, since the rows of one share cache lines. A single one is rounded by the caller:
  /// to wake others for it takes longer.
  private void round(F32Matrix x, Workspace w, long tiles) {
    int height = code.unit().maxRows();
    int count = Math.ceilDiv(x.rows(), height);
    if (count == 1) {
      round(x, 0, x.rows(), w.scratch(), 0, tiles);
      return;
    }
    int tasks = Split.tasks(count, TASKS_PER_WORKER, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) ->
                round(
                    x,
                    (int) Split.begin(count, task, tasks) * height,
                    Math.min(x.rows(), (int) Split.begin(count, task + 1, tasks) * height),
                    w.scratch(),
                    (long) ARGUMENT_BYTES * worker,
                    tiles));
  }

  /// Rows begin (inclusive) to end (exclusive).
  private void round(
      F32Matrix x, int begin, int end, MemorySegment scratch, long arguments, long tiles) {
    for (int row = begin; row < end; row++) {
      int first = row - row % code.unit().maxRows();
      RoundingSteps.arguments(
          scratch,
          arguments,
          x.data().address() + x.offsetBytes(row, 0),
          scratch.address() + tiles + first * rowBytes(),
          code.tile(rowsOfTile(x.rows(), first)),
          row - first,
          spec.inputs());
      code.rounding().call(scratch.address() + arguments, scratch, x.data(), scratch);
    }
  }

  /// Rows of the tile that begins with a row.
  private int rowsOfTile(int rows, int first) {
    return Math.min(code.unit().maxRows(), rows - first);
  }

  /// Panels begin (inclusive) to end (exclusive), by all tiles.
  private void multiply(F32Matrix y, int begin, int end, Workspace w, int worker) {
    MemorySegment scratch = w.scratch();
    long arguments = (long) ARGUMENT_BYTES * worker;
    long tiles = scratch.address() + tilesAt(w.workers().parallelism());
    long unpackedAt = Split.align(tiles + y.rows() * rowBytes()) + worker * unpackedBytes();
    long integers = unpackedAt + AmxProduct.INTEGER_BYTES - 1 & -AmxProduct.INTEGER_BYTES;
    long group = integers + AmxProduct.INTEGER_BYTES;
    boolean unpacks = unpacks(y.rows());
    int step = unpacks ? group() : y.rows() <= code.unit().maxRows() ? end - begin : step();
    for (int panel = begin; panel < end; panel += step) {
      int count = Math.min(step, end - panel);
      long packed = weights.data().address() + panel * weights.panelBytes();
      if (unpacks) {
        ProductArguments.set(scratch, arguments, group, packed, weights.blocks(), count);
        Routine unpacking = code.unpacking().orElseThrow();
        unpacking.call(scratch.address() + arguments, scratch, weights.data(), scratch);
      }
      for (int row = 0; row < y.rows(); row += code.unit().maxRows()) {
        int rows = rowsOfTile(y.rows(), row);
        ProductArguments.setOperands(
            scratch,
            arguments,
            tiles + row * rowBytes(),
            code.unit().unpacks(rows) ? group : packed,
            y.data().address() + y.offsetBytes(row, panel * weights.width()),
            (long) Float.BYTES * y.rowStrideFloats());
        ProductArguments.setExtent(
            scratch,
            arguments,
            weights.blocks(),
            count,
            weights.outputsOf(panel + count - 1),
            spec.accumulate());
        ProductArguments.setIntegers(scratch, arguments, integers);
        ProductArguments.setCached(scratch, arguments, row > 0);
        code.product(rows).call(scratch.address() + arguments, scratch, weights.data(), y.data());
      }
    }
  }

  private int step() {
    return (int) Math.clamp(CACHED_BYTES / weights.panelBytes(), 1L, Integer.MAX_VALUE);
  }
}

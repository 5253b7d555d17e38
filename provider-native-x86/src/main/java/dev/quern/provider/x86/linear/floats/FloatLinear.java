package dev.quern.provider.x86.linear.floats;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.provider.x86.linear.panel.PanelWeights;
import dev.quern.provider.x86.linear.panel.ProductArguments;
import dev.quern.provider.x86.memory.Split;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;

/// `y = x·Wᵀ` by rows that are floats, F32 (`exact-f32`) or BF16 (`bf16`): rows of x are copied
/// once, in tiles of about equal heights, then the workers split the panels. These are read as they
/// are packed, or each is decoded once to the worker's scratch, which all tiles then meet: as the
/// code says.
///
/// A row's bits do not depend on how rows are cut into tiles, nor on who multiplies which panel: a
/// decoded weight is the same number everywhere, and a product adds in an order that does not
/// depend on the other rows. Where a code has two kinds of products, by the number of rows, each
/// has its own order, and is a variant of its own.
///
/// Scratch:
///
/// ```
/// of each worker: arguments: 192 bytes | what products spill | a decoded panel, if any
/// tiles, one behind the other
/// ```
public final class FloatLinear implements LinearKernel {
  private static final int ARGUMENT_BYTES = 192;
  private static final int TASKS_PER_WORKER = 8;

  /// Bytes of panels that are met by all tiles before the next ones: they stay in the second-level
  /// cache.
  private static final int CACHED_BYTES = 1 << 18;

  private final LinearSpec spec;
  private final FloatCode code;
  private final PanelWeights weights;

  /// @param weights as the code's panels lay them out
  public FloatLinear(LinearSpec spec, FloatCode code, PanelWeights weights) {
    this.spec = spec;
    this.code = code;
    this.weights = weights;
  }

  /// Packs matrices that are stacked by output rows, and makes the kernel of them.
  public static FloatLinear pack(
      LinearSpec spec,
      FloatCode code,
      List<WeightMatrix> stacked,
      SegmentAllocator allocator,
      Workers workers) {
    PanelWeights weights =
        PanelWeights.pack(code.panels(), code.packing(), spec, stacked, allocator, workers);
    return new FloatLinear(spec, code, weights);
  }

  @Override
  public boolean retainsSource() {
    return false;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return tilesAt(rows, parallelism) + rows * code.rowBytes(inputs());
  }

  /// Bytes of a worker's part.
  private long workerBytes(int rows) {
    long decoded = code.direct(rows) ? 0 : Split.align(code.decodedBytes(inputs()));
    return ARGUMENT_BYTES + code.spillBytes() + decoded;
  }

  private long tilesAt(int rows, int parallelism) {
    return workerBytes(rows) * parallelism;
  }

  /// Inputs of a tile: of whole blocks of weights.
  private int inputs() {
    return weights.blocks() * code.panels().inputs();
  }

  /// What all products of a call have in common: one object, since workers are handed it.
  ///
  /// @param scratch of all workers
  /// @param tiles where they begin in scratch
  private record Call(F32Matrix y, MemorySegment scratch, long tiles) {}

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    Call call = new Call(y, w.scratch(), tilesAt(x.rows(), w.workers().parallelism()));
    copy(x, w, call.tiles);
    int panels = Math.ceilDiv(spec.outputs(), code.outputs());
    int tasks = Split.tasks(panels, TASKS_PER_WORKER, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              int begin = (int) Split.begin(panels, task, tasks);
              int end = (int) Split.begin(panels, task + 1, tasks);
              long arguments = workerBytes(x.rows()) * worker;
              if (code.direct(x.rows())) {
                multiply(call, begin, end, arguments);
              } else {
                decodeAndMultiply(call, begin, end, arguments);
              }
            });
  }

  /// How many tiles rows are cut into.
  private int tiles(int rows) {
    return Math.ceilDiv(rows, code.maxRows(rows));
  }

  /// Tile by tile, since the rows of one share cache lines. A single one is copied by the caller:
  /// to wake others for it takes longer.
  private void copy(F32Matrix x, Workspace w, long tiles) {
    int count = tiles(x.rows());
    if (count == 1) {
      copyTile(x, 0, w.scratch(), 0, tiles);
      return;
    }
    int tasks = Split.tasks(count, TASKS_PER_WORKER, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              int end = (int) Split.begin(count, task + 1, tasks);
              for (int t = (int) Split.begin(count, task, tasks); t < end; t++) {
                copyTile(x, t, w.scratch(), workerBytes(x.rows()) * worker, tiles);
              }
            });
  }

  private void copyTile(F32Matrix x, int tile, MemorySegment scratch, long arguments, long tiles) {
    int first = (int) Split.begin(x.rows(), tile, tiles(x.rows()));
    int end = (int) Split.begin(x.rows(), tile + 1, tiles(x.rows()));
    for (int row = first; row < end; row++) {
      code.setRow(
          scratch,
          arguments,
          x.data().address() + x.offsetBytes(row, 0),
          scratch.address() + tiles + first * code.rowBytes(inputs()),
          end - first,
          row - first,
          spec.inputs());
      code.rowCopy().call(scratch.address() + arguments, scratch, x.data(), scratch);
    }
  }

  /// Panels begin (inclusive) to end (exclusive) as they are, by all tiles.
  private void multiply(Call call, int begin, int end, long arguments) {
    int count = tiles(call.y.rows());
    int step = count == 1 ? end - begin : step();
    for (int panel = begin; panel < end; panel += step) {
      int panels = Math.min(step, end - panel);
      long address = weights.data().address() + panel * weights.panelBytes();
      for (int tile = 0; tile < count; tile++) {
        multiply(call, tile, panel, panels, address, arguments);
      }
    }
  }

  private int step() {
    return (int) Math.clamp(CACHED_BYTES / weights.panelBytes(), 1L, Integer.MAX_VALUE);
  }

  /// Panels begin (inclusive) to end (exclusive), each decoded first, by all tiles.
  private void decodeAndMultiply(Call call, int begin, int end, long arguments) {
    long decoded = call.scratch.address() + arguments + ARGUMENT_BYTES + code.spillBytes();
    for (int panel = begin; panel < end; panel++) {
      decode(panel, decoded, call.scratch, arguments);
      for (int tile = 0; tile < tiles(call.y.rows()); tile++) {
        multiply(call, tile, panel, 1, decoded, arguments);
      }
    }
  }

  /// Decodes the packed panels that a panel of products consists of.
  private void decode(int panel, long to, MemorySegment scratch, long arguments) {
    int parts = code.outputs() / weights.width();
    int end = Math.min(weights.count(), (panel + 1) * parts);
    for (int packed = panel * parts; packed < end; packed++) {
      ProductArguments.set(
          scratch,
          arguments,
          to + (long) (packed % parts) * code.decodedStep(),
          weights.data().address() + packed * weights.panelBytes(),
          weights.blocks(),
          1);
      ProductArguments.setFootScales(
          scratch, arguments, code.panels().footScalesAt(weights.blocks()));
      code.decoder().call(scratch.address() + arguments, scratch, weights.data(), scratch);
    }
  }

  /// One tile by panels, which lie at an address, decoded or not.
  private void multiply(Call call, int tile, int panel, int panels, long address, long arguments) {
    F32Matrix y = call.y;
    MemorySegment scratch = call.scratch;
    int first = (int) Split.begin(y.rows(), tile, tiles(y.rows()));
    int end = (int) Split.begin(y.rows(), tile + 1, tiles(y.rows()));
    int last = spec.outputs() - (panel + panels - 1) * code.outputs();
    ProductArguments.setOperands(
        scratch,
        arguments,
        scratch.address() + call.tiles + first * code.rowBytes(inputs()),
        address,
        y.data().address() + y.offsetBytes(first, panel * code.outputs()),
        (long) Float.BYTES * y.rowStrideFloats());
    ProductArguments.setExtent(
        scratch,
        arguments,
        code.blocks(inputs(), code.direct(y.rows())),
        panels,
        Math.min(code.outputs(), last),
        spec.accumulate());
    ProductArguments.setFootScales(
        scratch, arguments, code.panels().footScalesAt(weights.blocks()));
    long spill = scratch.address() + arguments + ARGUMENT_BYTES;
    code.setProduct(scratch, arguments, y.rows(), end - first, spill);
    code.product(y.rows(), end - first)
        .call(scratch.address() + arguments, scratch, weights.data(), y.data());
  }
}

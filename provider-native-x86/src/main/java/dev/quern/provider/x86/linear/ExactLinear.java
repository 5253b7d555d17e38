package dev.quern.provider.x86.linear;

import dev.quern.data.F32Matrix;
import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;

/// `y = x·Wᵀ` in F32 (`exact-f32`): rows of x are copied once, in tiles of about equal heights,
/// then the workers split the panels. For few rows weights are decoded in registers; for more, a
/// panel is decoded once to the worker's scratch, which all tiles then meet.
///
/// A row's bits do not depend on how many rows there are, nor on how they are cut: a decoded weight
/// is the same number everywhere, and [ExactProduct] adds in the order of inputs.
///
/// Scratch:
///
/// ```
/// arguments of each worker: 128 bytes[parallelism]
/// | an F32 panel of each worker, where one is decoded: [parallelism]
/// | tiles (FloatTile), one behind the other
/// ```
final class ExactLinear implements LinearKernel {
  private static final int ARGUMENT_BYTES = 128;
  private static final int TASKS_PER_WORKER = 8;

  /// Bytes of panels that are met by all tiles before the next ones: they stay in the second-level
  /// cache.
  private static final int CACHED_BYTES = 1 << 18;

  private final LinearSpec spec;
  private final ExactCode code;
  private final PanelWeights weights;

  private ExactLinear(LinearSpec spec, ExactCode code, PanelWeights weights) {
    this.spec = spec;
    this.code = code;
    this.weights = weights;
  }

  static ExactLinear pack(
      LinearSpec spec,
      ExactCode code,
      List<WeightMatrix> stacked,
      SegmentAllocator allocator,
      Workers workers) {
    WeightPanels panels = code.panels();
    int blocks = Math.ceilDiv(spec.inputs(), panels.inputs());
    PanelWeights weights =
        PanelWeights.allocate(
            panels.outputs(), panels.bytes(blocks), spec.outputs(), blocks, allocator);
    weights.write(panels.writer(weights.data()), stacked, workers);
    return new ExactLinear(spec, code, weights);
  }

  @Override
  public boolean retainsSource() {
    return false;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return tilesAt(rows, parallelism) + rows * FloatTile.rowBytes(inputs());
  }

  private static long decodedAt(int parallelism) {
    return (long) ARGUMENT_BYTES * parallelism;
  }

  private long tilesAt(int rows, int parallelism) {
    return decodedAt(parallelism) + (code.direct(rows) ? 0 : parallelism * decodedBytes());
  }

  /// Bytes of a panel as F32.
  private long decodedBytes() {
    return (long) Float.BYTES * inputs() * weights.width();
  }

  /// Inputs of a tile: of whole blocks of weights.
  private int inputs() {
    return weights.blocks() * code.panels().inputs();
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    long tiles = tilesAt(x.rows(), w.workers().parallelism());
    copy(x, w, tiles);
    int panels = weights.count();
    int tasks = Split.tasks(panels, TASKS_PER_WORKER, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              int begin = (int) Split.begin(panels, task, tasks);
              int end = (int) Split.begin(panels, task + 1, tasks);
              long arguments = (long) ARGUMENT_BYTES * worker;
              if (code.direct(y.rows())) {
                multiply(y, begin, end, w.scratch(), arguments, tiles);
              } else {
                long decoded = decodedAt(w.workers().parallelism()) + worker * decodedBytes();
                decodeAndMultiply(y, begin, end, w.scratch(), arguments, decoded, tiles);
              }
            });
  }

  /// How many tiles rows are cut into.
  private int tiles(int rows) {
    return Math.ceilDiv(rows, code.unit().maxRows());
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
                copyTile(x, t, w.scratch(), (long) ARGUMENT_BYTES * worker, tiles);
              }
            });
  }

  private void copyTile(F32Matrix x, int tile, MemorySegment scratch, long arguments, long tiles) {
    int first = (int) Split.begin(x.rows(), tile, tiles(x.rows()));
    int end = (int) Split.begin(x.rows(), tile + 1, tiles(x.rows()));
    FloatTile shape = new FloatTile(end - first);
    for (int row = first; row < end; row++) {
      RowCopy.arguments(
          scratch,
          arguments,
          x.data().address() + x.offsetBytes(row, 0),
          scratch.address() + tiles + first * FloatTile.rowBytes(inputs()),
          shape,
          row - first,
          spec.inputs(),
          inputs());
      code.rowCopy().call(scratch.address() + arguments, scratch, x.data(), scratch);
    }
  }

  /// Panels begin (inclusive) to end (exclusive) as they are, by all tiles.
  private void multiply(
      F32Matrix y, int begin, int end, MemorySegment scratch, long arguments, long tiles) {
    int count = tiles(y.rows());
    int step = count == 1 ? end - begin : step();
    for (int panel = begin; panel < end; panel += step) {
      int panels = Math.min(step, end - panel);
      long address = weights.data().address() + panel * weights.panelBytes();
      for (int tile = 0; tile < count; tile++) {
        multiply(y, tile, panel, panels, address, weights.blocks(), scratch, arguments, tiles);
      }
    }
  }

  private int step() {
    return (int) Math.clamp(CACHED_BYTES / weights.panelBytes(), 1L, Integer.MAX_VALUE);
  }

  /// Panels begin (inclusive) to end (exclusive), each decoded first, by all tiles.
  private void decodeAndMultiply(
      F32Matrix y,
      int begin,
      int end,
      MemorySegment scratch,
      long arguments,
      long decoded,
      long tiles) {
    long address = scratch.address() + decoded;
    int blocks = inputs() / FloatPanels.BLOCK;
    for (int panel = begin; panel < end; panel++) {
      ProductArguments.set(
          scratch,
          arguments,
          address,
          weights.data().address() + panel * weights.panelBytes(),
          weights.blocks());
      ProductArguments.setFootScales(
          scratch, arguments, code.panels().footScalesAt(weights.blocks()));
      code.decoder().call(scratch.address() + arguments, scratch, weights.data(), scratch);
      for (int tile = 0; tile < tiles(y.rows()); tile++) {
        multiply(y, tile, panel, 1, address, blocks, scratch, arguments, tiles);
      }
    }
  }

  /// One tile by panels, which lie at an address, decoded or not.
  private void multiply(
      F32Matrix y,
      int tile,
      int panel,
      int panels,
      long address,
      int blocks,
      MemorySegment scratch,
      long arguments,
      long tiles) {
    int first = (int) Split.begin(y.rows(), tile, tiles(y.rows()));
    int end = (int) Split.begin(y.rows(), tile + 1, tiles(y.rows()));
    ProductArguments.set(
        scratch,
        arguments,
        scratch.address() + tiles + first * FloatTile.rowBytes(inputs()),
        address,
        y.data().address() + y.offsetBytes(first, panel * weights.width()),
        (long) Float.BYTES * y.rowStrideFloats(),
        blocks,
        panels,
        weights.outputsOf(panel + panels - 1),
        spec.accumulate());
    ProductArguments.setFootScales(
        scratch, arguments, code.panels().footScalesAt(weights.blocks()));
    (code.direct(y.rows()) ? code.fused() : code.products())
        .get(end - first - 1)
        .call(scratch.address() + arguments, scratch, weights.data(), y.data());
  }
}

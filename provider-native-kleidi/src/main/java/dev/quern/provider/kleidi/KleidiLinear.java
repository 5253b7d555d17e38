package dev.quern.provider.kleidi;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workers;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.provider.kleidi.KleidiAi.Rows;
import java.lang.foreign.MemorySegment;

/// `y = x·Wᵀ` on a pair of micro-kernels. Rows of x are rounded and packed once for all outputs (Q,
/// K and V, or gate and up, are one linear in the model), then the workers split the outputs.
/// Scratch:
///
/// ```
/// PackedRows | where y is added to, products: f32[rows][outputs rounded up to 16]
/// ```
final class KleidiLinear implements LinearKernel {
  /// Two for each worker, so that the others take over from one whose core is slow, and no linear
  /// takes more than three downcalls a worker.
  private static final int TASKS_PER_WORKER = 2;

  private static final int LINE_FLOATS = Split.LINE / Float.BYTES;

  private final LinearSpec spec;
  private final KernelPair pair;
  private final PackedWeights weights;
  private final PackedRows oneRow;
  private final PackedRows severalRows;

  KleidiLinear(LinearSpec spec, KernelPair pair, PackedWeights weights) {
    this.spec = spec;
    this.pair = pair;
    this.weights = weights;
    oneRow = PackedRows.of(pair, pair.gemv(), spec.inputs());
    severalRows = PackedRows.of(pair, pair.gemm(), spec.inputs());
  }

  @Override
  public boolean retainsSource() {
    return false;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    long packed = rows == 1 ? 0 : severalRows.bytes(rows);
    return Math.max(oneRow.bytes(1), packed) + (spec.accumulate() ? rows * strideBytes() : 0);
  }

  /// Bytes of a row of products.
  private long strideBytes() {
    return Split.align((long) spec.outputs() * Float.BYTES);
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    PackedRows packed = x.rows() == 1 ? oneRow : severalRows;
    pack(x, packed, w);
    Rows rows = packed.rows(x, w.scratch());
    Rows products = products(packed, y, w.scratch());
    // A task begins where the kernel may and, in y, a cache line does, if the row begins one.
    long step = Split.leastCommonMultiple(packed.u().nStep(), LINE_FLOATS);
    long steps = Math.ceilDiv(spec.outputs(), step);
    int tasks = (int) Math.min(steps, tasks(w.workers()));
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              int begin = (int) (Split.begin(steps, task, tasks) * step);
              int end = (int) Math.min(spec.outputs(), Split.begin(steps, task + 1, tasks) * step);
              long tiles = begin / weights.layout().tiling().nr() * weights.tileBytes();
              packed.u().run(weights.layout(), rows, weights.data(), tiles, products, begin, end);
              finish(packed, products, y, begin, end, w.scratch());
            });
    weights.damaged().mark(y);
  }

  /// One row is packed by the caller: to wake others for it takes longer.
  private void pack(F32Matrix x, PackedRows packed, Workspace w) {
    int tiles = packed.tiles(x.rows());
    if (tiles == 1) {
      packed.pack(x, 0, 1, w.scratch());
      return;
    }
    int tasks = Math.min(tiles, w.workers().parallelism());
    w.workers()
        .run(
            tasks,
            (task, worker) ->
                packed.pack(
                    x,
                    (int) Split.begin(tiles, task, tasks),
                    (int) Split.begin(tiles, task + 1, tasks),
                    w.scratch()));
  }

  /// As many tasks as there may be threads keep all others off a unit that is shared.
  private int tasks(Workers workers) {
    int parallelism = workers.parallelism();
    return parallelism == 1
        ? 1
        : (int) Math.min(pair.maxThreads(), (long) TASKS_PER_WORKER * parallelism);
  }

  /// Where the kernel stores: y, or scratch where y is added to.
  private Rows products(PackedRows packed, F32Matrix y, MemorySegment scratch) {
    int rows = y.rows();
    return spec.accumulate()
        ? new Rows(scratch, packed.bytes(rows), rows, strideBytes())
        : new Rows(y.data(), 0, rows, (long) Float.BYTES * y.rowStrideFloats());
  }

  /// Multiplies columns begin (inclusive) to end (exclusive) of the products by the rows' factors,
  /// and adds them to y where they are not in it.
  private void finish(
      PackedRows packed, Rows products, F32Matrix y, int begin, int end, MemorySegment scratch) {
    int rows = y.rows();
    for (int row = 0; row < rows; row++) {
      float factor = packed.factor(scratch, rows, row);
      long at = y.offsetBytes(row, begin);
      if (spec.accumulate()) {
        long from = products.offsetBytes(row, begin);
        add(products.data(), from, factor, y.data(), at, end - begin);
      } else if (factor != 1) {
        multiply(factor, y.data(), at, end - begin);
      }
    }
  }

  private static void add(
      MemorySegment products, long from, float factor, MemorySegment y, long to, int n) {
    for (int i = 0; i < n; i++) {
      float sum = y.get(JAVA_FLOAT, to + 4L * i) + factor * products.get(JAVA_FLOAT, from + 4L * i);
      y.set(JAVA_FLOAT, to + 4L * i, sum);
    }
  }

  private static void multiply(float factor, MemorySegment y, long at, int n) {
    for (int i = 0; i < n; i++) {
      y.set(JAVA_FLOAT, at + 4L * i, factor * y.get(JAVA_FLOAT, at + 4L * i));
    }
  }
}

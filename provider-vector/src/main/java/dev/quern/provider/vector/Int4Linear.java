package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.BYTES;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Variant;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// `y = x·Wᵀ` over packed 4-bit weights ([Int4Panels]). One row of x is rounded to int8 and
/// multiplied in int16 ([Int4Dot]); several rows stay F32: a task decodes [#DEPTH] weights of the
/// outputs of a panel at a time, and multiplies them by all rows ([PanelTile]). Scratch:
///
/// ```
/// one row       x: Int8Row | of each worker: scales f32[inputs / 32][2][L] | y: f32[2][L]
/// several rows  ones: f32[inputs / 32] | of each worker: scales f32[DEPTH / 32][2][L] | w: f32[DEPTH][2][L] | y: f32[rows][2][L]
/// ```
final class Int4Linear implements LinearKernel {
  static final String ONE_ROW = "int4-panel-dot";
  static final String ROWS = "f32-panel-gemm";

  /// Weights of an output that are decoded at a time: with 16 lanes 32 kB of F32 for a panel, which
  /// stay in the first- or second-level cache while all rows of x pass by.
  private static final int DEPTH = 256;

  private final LinearSpec spec;
  private final Int4Panels panels;

  Int4Linear(LinearSpec spec, Int4Panels panels) {
    this.spec = spec;
    this.panels = panels;
  }

  @Override
  public boolean retainsSource() {
    return false;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    long one = Int8Row.bytes(spec.inputs()) + parallelism * dotBytes();
    return rows == 1 ? one : Math.max(one, onesBytes() + parallelism * rowsBytes(rows));
  }

  private long dotBytes() {
    return (groups() + 1L) * (2 * BYTES) + Split.LINE;
  }

  private long onesBytes() {
    return Split.align(4L * groups());
  }

  private static long rowsBytes(int rows) {
    return (DEPTH / Int4Panels.GROUP + DEPTH + rows + PanelTile.ROWS) * (2 * BYTES) + Split.LINE;
  }

  private int groups() {
    return spec.inputs() / Int4Panels.GROUP;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    if (x.rows() == 1) {
      oneRow(x, y, w);
    } else {
      rows(x, y, w);
    }
  }

  private void oneRow(F32Matrix x, F32Matrix y, Workspace w) {
    int inputs = spec.inputs();
    MemorySegment scratch = w.scratch();
    boolean finite = Int8Row.quantize(x.data(), 0, inputs, scratch, 0);
    long shared = Int8Row.bytes(inputs);
    long bytes = dotBytes();
    int tasks = Split.tasks(panels.count(), w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              long scales = shared + worker * bytes;
              long sums = scales + groups() * (2 * BYTES);
              int end = (int) Split.begin(panels.count(), task + 1, tasks);
              for (int p = (int) Split.begin(panels.count(), task, tasks); p < end; p++) {
                panels.scales(p, 0, groups(), scratch, Int8Row.scalesAt(inputs), scratch, scales);
                Int4Dot.dot(
                    panels.data(),
                    panels.valuesAt(p),
                    inputs / 8,
                    scratch,
                    0,
                    Int8Row.biasAt(inputs),
                    scratch,
                    scales,
                    scratch,
                    sums);
                PanelStore.store(spec, p, finite, scratch, sums, y, 0);
              }
            });
  }

  private void rows(F32Matrix x, F32Matrix y, Workspace w) {
    MemorySegment scratch = w.scratch();
    PanelStore.fill(scratch, 0, groups(), 1);
    long shared = onesBytes();
    long bytes = rowsBytes(x.rows());
    w.workers()
        .run(
            panels.count(),
            (panel, worker) -> panel(panel, x, y, scratch, shared + worker * bytes));
  }

  /// All rows times one panel.
  private void panel(int panel, F32Matrix x, F32Matrix y, MemorySegment scratch, long at) {
    long decoded = at + DEPTH / Int4Panels.GROUP * (2 * BYTES);
    long sums = decoded + DEPTH * (2 * BYTES);
    PanelStore.fill(scratch, sums, 2 * Lanes.L * x.rows(), 0);
    for (int from = 0; from < spec.inputs(); from += DEPTH) {
      int n = Math.min(DEPTH, spec.inputs() - from);
      panels.scales(panel, from / Int4Panels.GROUP, n / Int4Panels.GROUP, scratch, 0, scratch, at);
      Int4Panels.decode(
          panels.data(),
          panels.valuesAt(panel) + from / 4 * BYTES,
          n / 4,
          scratch,
          at,
          scratch,
          decoded);
      PanelTile.multiply(
          scratch,
          decoded,
          x.data(),
          x.offsetBytes(0, from),
          4L * x.rowStrideFloats(),
          x.rows(),
          n,
          scratch,
          sums);
    }
    for (int row = 0; row < x.rows(); row++) {
      long sum = sums + row * (2 * BYTES);
      boolean finite = PanelStore.isFinite(scratch, sum) || PanelStore.isFinite(x, row);
      PanelStore.store(spec, panel, finite, scratch, sum, y, row);
    }
  }

  /// The variants of the offer.
  static List<Variant> variants() {
    return List.of(
        new Variant(ONE_ROW, 1, Numerics.INT8_SYM_32), new Variant(ROWS, 2, Numerics.EXACT_F32));
  }
}

package dev.quern.provider.vector;

import static dev.quern.provider.vector.Lanes.BYTES;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearSpec;
import java.lang.foreign.MemorySegment;

/// Several rows of x times packed 4-bit weights in F32, for vectors of 512 bits: a task decodes
/// [#DEPTH] weights of the outputs of a panel at a time, and multiplies them by all rows
/// ([PanelTile]). Scratch:
///
/// ```
/// shared           ones: f32[inputs / 32]
/// of each worker   scales: f32[DEPTH / 32][2][L] | w: f32[DEPTH][2][L] | y: f32[rows + 6][2][L]
/// ```
record Int4RowsF32(LinearSpec spec, Int4Panels panels) implements Int4Rows {
  static final String NAME = "f32-panel-gemm";

  /// Weights of an output that are decoded at a time: with 16 lanes 32 kB of F32 for a panel, which
  /// stay in the first- or second-level cache while all rows of x pass by.
  private static final int DEPTH = 256;

  private static final int GROUPS = DEPTH / Int4Panels.GROUP;

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return sharedBytes() + parallelism * workerBytes(rows);
  }

  private static long sharedBytes() {
    return Split.align(4L * GROUPS);
  }

  private static long workerBytes(int rows) {
    return (GROUPS + DEPTH + rows + PanelTile.ROWS) * (2 * BYTES) + Split.LINE;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    MemorySegment scratch = w.scratch();
    PanelStore.fill(scratch, 0, GROUPS, 1);
    long bytes = workerBytes(x.rows());
    w.workers()
        .run(
            panels.count(),
            (panel, worker) -> panel(panel, x, y, scratch, sharedBytes() + worker * bytes));
  }

  /// All rows times one panel.
  private void panel(int panel, F32Matrix x, F32Matrix y, MemorySegment scratch, long at) {
    long decoded = at + GROUPS * (2 * BYTES);
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
}

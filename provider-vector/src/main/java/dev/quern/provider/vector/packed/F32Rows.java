package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearSpec;
import dev.quern.provider.vector.lanes.Finite;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.provider.vector.lanes.Split;
import java.lang.foreign.MemorySegment;

/// Several rows of x times packed weights in F32: a task decodes [#DEPTH] weights of the outputs of
/// a panel at a time, and multiplies them by all rows ([F32Tile]). Scratch:
///
/// ```
/// of each worker   w: f32[DEPTH][2][L] | y: f32[rows + 6][2][L] | what the format decodes with
/// ```
record F32Rows(LinearSpec spec, Panels panels) implements SeveralRows {
  /// Weights of an output that are decoded at a time: with 16 lanes 64 kB of F32 for a panel, which
  /// stay in the second-level cache while all rows of x pass by. Half as many would stay in the
  /// first, but each call of the tile costs some 200 cycles beside its products.
  private static final int DEPTH = 512;

  @Override
  public long scratchBytes(int rows, int parallelism) {
    return parallelism * workerBytes(rows);
  }

  private static long yAt() {
    return DEPTH * (2 * BYTES);
  }

  private static long decoderAt(int rows) {
    return yAt() + (rows + F32Tile.ROWS) * (2 * BYTES);
  }

  private long workerBytes(int rows) {
    return decoderAt(rows) + panels.format().decodeScratchBytes(DEPTH) + Split.LINE;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    long bytes = workerBytes(x.rows());
    w.workers()
        .run(panels.count(), (panel, worker) -> panel(panel, x, y, w.scratch(), worker * bytes));
  }

  /// All rows times one panel.
  private void panel(int panel, F32Matrix x, F32Matrix y, MemorySegment scratch, long at) {
    PanelFormat format = panels.format();
    long sums = at + yAt();
    PanelStore.fill(scratch, sums, 2 * Lanes.L * x.rows(), 0);
    for (int from = 0; from < spec.inputs(); from += DEPTH) {
      int n = Math.min(DEPTH, spec.inputs() - from);
      format.decode(panels, panel, from, n, scratch, at + decoderAt(x.rows()), at);
      F32Tile.multiply(x, from, n, scratch, at, sums);
    }
    for (int row = 0; row < x.rows(); row++) {
      long sum = sums + row * (2 * BYTES);
      boolean finite = PanelStore.isFinite(scratch, sum) || Finite.row(x, row);
      PanelStore.store(spec, panel, finite, scratch, sum, y, row);
    }
  }
}

package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.BYTES;

import dev.quern.data.F32Matrix;
import dev.quern.data.Workspace;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.provider.vector.lanes.Finite;
import dev.quern.provider.vector.lanes.Split;
import java.lang.foreign.MemorySegment;

/// `y = x·Wᵀ` over packed weights ([Panels]). One row of x is multiplied as the format does it
/// ([PanelFormat#dot]), most of them after rounding it to int8; several rows as [SeveralRows] says.
/// Scratch for one row:
///
/// ```
/// shared           x: Int8Row, where it is rounded
/// of each worker   y: f32[2][2][L] | what the format wants
/// ```
final class PanelLinear implements LinearKernel {
  private final LinearSpec spec;
  private final Panels panels;
  private final SeveralRows several;
  private final boolean rounds;

  PanelLinear(LinearSpec spec, Panels panels, SeveralRows several) {
    this.spec = spec;
    this.panels = panels;
    this.several = several;
    rounds = !panels.format().dotNumerics().equals(Numerics.EXACT_F32);
  }

  @Override
  public boolean retainsSource() {
    return false;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    long one = sharedBytes() + parallelism * dotBytes();
    return rows == 1 ? one : Math.max(one, several.scratchBytes(rows, parallelism));
  }

  private long sharedBytes() {
    return rounds ? Int8Row.bytes(spec.inputs()) : 0;
  }

  private long dotBytes() {
    return 4 * BYTES + Split.align(panels.format().dotScratchBytes(spec.inputs()));
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    if (x.rows() > 1) {
      several.apply(x, y, w);
      return;
    }
    MemorySegment scratch = w.scratch();
    boolean finite =
        !rounds
            || Int8Row.quantize(x.data(), 0, spec.inputs(), panels.format().offset(), scratch, 0);
    long shared = sharedBytes();
    long bytes = dotBytes();
    int pairs = Math.ceilDiv(panels.count(), 2);
    Split.run(
        pairs,
        w.workers(),
        (begin, end, worker) -> {
          for (int p = (int) begin; p < end; p++) {
            pair(2 * p, x, finite, y, scratch, shared + worker * bytes);
          }
        });
  }

  /// One row times two panels, or the last one twice.
  private void pair(
      int first, F32Matrix x, boolean finite, F32Matrix y, MemorySegment scratch, long at) {
    int second = panels.next(first);
    panels.format().dot(panels, first, rounds ? scratch : x.data(), scratch, at);
    store(first, x, finite, y, scratch, at);
    if (second != first) {
      store(second, x, finite, y, scratch, at + 2 * BYTES);
    }
  }

  private void store(
      int panel, F32Matrix x, boolean finite, F32Matrix y, MemorySegment scratch, long sums) {
    boolean known = rounds ? finite : PanelStore.isFinite(scratch, sums) || Finite.row(x, 0);
    PanelStore.store(spec, panel, known, scratch, sums, y, 0);
  }
}

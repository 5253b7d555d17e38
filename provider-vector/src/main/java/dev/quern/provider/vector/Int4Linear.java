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
/// multiplied in int16 ([Int4Dot]); several rows as [Int4Rows] says. Scratch for one row:
///
/// ```
/// shared           x: Int8Row
/// of each worker   scales: f32[2][inputs / 32][2][L] | y: f32[2][2][L]
/// ```
final class Int4Linear implements LinearKernel {
  static final String ONE_ROW = "int4-panel-dot";

  private final LinearSpec spec;
  private final Int4Panels panels;
  private final Int4Rows several;

  Int4Linear(LinearSpec spec, Int4Panels panels) {
    this.spec = spec;
    this.panels = panels;
    several = Int4Rows.preferred(spec, panels);
  }

  @Override
  public boolean retainsSource() {
    return false;
  }

  @Override
  public long scratchBytes(int rows, int parallelism) {
    long one = Int8Row.bytes(spec.inputs()) + parallelism * dotBytes();
    return rows == 1 ? one : Math.max(one, several.scratchBytes(rows, parallelism));
  }

  private long dotBytes() {
    return 2 * (scaleBytes() + 2 * BYTES) + Split.LINE;
  }

  private long scaleBytes() {
    return groups() * (2 * BYTES);
  }

  private int groups() {
    return spec.inputs() / Int4Panels.GROUP;
  }

  @Override
  public void apply(F32Matrix x, F32Matrix y, Workspace w) {
    if (x.rows() == 1) {
      oneRow(x, y, w);
    } else {
      several.apply(x, y, w);
    }
  }

  private void oneRow(F32Matrix x, F32Matrix y, Workspace w) {
    int inputs = spec.inputs();
    MemorySegment scratch = w.scratch();
    boolean finite = Int8Row.quantize(x.data(), 0, inputs, scratch, 0);
    long shared = Int8Row.bytes(inputs);
    int pairs = Math.ceilDiv(panels.count(), 2);
    int tasks = Split.tasks(pairs, w.workers());
    w.workers()
        .run(
            tasks,
            (task, worker) -> {
              int end = (int) Split.begin(pairs, task + 1, tasks);
              for (int p = (int) Split.begin(pairs, task, tasks); p < end; p++) {
                pair(2 * p, finite, y, scratch, shared + worker * dotBytes());
              }
            });
  }

  /// One row times two panels, or the last one twice: as two streams they come from memory faster.
  private void pair(int first, boolean finite, F32Matrix y, MemorySegment scratch, long at) {
    int inputs = spec.inputs();
    int second = Math.min(first + 1, panels.count() - 1);
    long sums = at + 2 * scaleBytes();
    long xScales = Int8Row.scalesAt(inputs);
    panels.scales(first, 0, groups(), scratch, xScales, scratch, at);
    panels.scales(second, 0, groups(), scratch, xScales, scratch, at + scaleBytes());
    Int4Dot.dot(
        panels.data(),
        panels.valuesAt(first),
        panels.valuesAt(second),
        inputs / 8,
        scratch,
        0,
        Int8Row.biasAt(inputs),
        scratch,
        at,
        at + scaleBytes(),
        scratch,
        sums);
    PanelStore.store(spec, first, finite, scratch, sums, y, 0);
    if (second != first) {
      PanelStore.store(spec, second, finite, scratch, sums + 2 * BYTES, y, 0);
    }
  }

  /// The variants of the offer.
  static List<Variant> variants() {
    return List.of(new Variant(ONE_ROW, 1, Numerics.INT8_SYM_32), Int4Rows.variant());
  }
}

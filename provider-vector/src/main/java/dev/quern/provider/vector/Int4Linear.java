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
/// of each worker   scales: f32[inputs / 32][2][L] | y: f32[2][L]
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
    return (groups() + 1L) * (2 * BYTES) + Split.LINE;
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

  /// The variants of the offer.
  static List<Variant> variants() {
    return List.of(new Variant(ONE_ROW, 1, Numerics.INT8_SYM_32), Int4Rows.variant());
  }
}

package dev.quern.provider.x86.linear;

import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;

/// Packed weights: panels one behind the other. What is missing from the last one is zero.
///
/// @param layout of a panel's blocks
/// @param outputs rows of the matrices, stacked
/// @param blocks of 32 of a row
/// @param data `[ceil(outputs / P)]` panels
record PanelWeights(PanelLayout layout, int outputs, int blocks, MemorySegment data) {
  /// Several for each worker, since the sources of some may have to come from a file first.
  private static final int TASKS_PER_WORKER = 8;

  /// Packs matrices that are stacked by output rows.
  ///
  /// @param code which will multiply them
  static PanelWeights pack(
      Int8Code code,
      LinearSpec spec,
      List<WeightMatrix> stacked,
      SegmentAllocator allocator,
      Workers workers) {
    PanelLayout layout = code.unit().layout(code.format());
    int blocks = Math.ceilDiv(spec.inputs(), PanelLayout.BLOCK);
    int count = Math.ceilDiv(spec.outputs(), layout.outputs());
    long bytes = Math.multiplyExact((long) count, layout.bytes(blocks));
    MemorySegment data = allocator.allocate(bytes, Split.LINE);
    PanelWeights panels = new PanelWeights(layout, spec.outputs(), blocks, data);
    PanelWriter writer = new PanelWriter(code.format(), layout, data);
    WeightMatrix[] matrices = stacked.toArray(WeightMatrix[]::new);
    int tasks = Split.tasks(count, TASKS_PER_WORKER, workers);
    workers.run(
        tasks,
        (task, worker) -> {
          int end = (int) Split.begin(count, task + 1, tasks);
          for (int p = (int) Split.begin(count, task, tasks); p < end; p++) {
            panels.packPanel(writer, p, matrices);
          }
        });
    return panels;
  }

  /// How many there are.
  int count() {
    return Math.ceilDiv(outputs, layout.outputs());
  }

  /// Bytes of a panel.
  long panelBytes() {
    return layout.bytes(blocks);
  }

  /// Outputs of a panel: fewer in the last one.
  int outputsOf(int panel) {
    return Math.min(layout.outputs(), outputs - panel * layout.outputs());
  }

  private void packPanel(PanelWriter writer, int panel, WeightMatrix[] matrices) {
    if (outputsOf(panel) < layout.outputs()) {
      data.asSlice(panel * panelBytes(), panelBytes()).fill((byte) 0);
    }
    long from = (long) panel * layout.outputs(); // outputs, of all matrices
    long to = from + outputsOf(panel);
    long first = 0; // output of the matrix's first row
    for (WeightMatrix m : matrices) {
      long end = Math.min(to, first + m.outputs());
      for (long o = Math.max(from, first); o < end; o++) {
        writer.write(m, o - first, panel * panelBytes(), (int) (o - from));
      }
      first += m.outputs();
    }
  }
}

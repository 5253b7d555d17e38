package dev.quern.provider.x86.linear;

import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;

/// Packed weights: panels one behind the other. What is missing from the last one is zero.
///
/// @param width P, outputs of a panel
/// @param panelBytes of a panel
/// @param outputs rows of the matrices, stacked
/// @param blocks of a row
/// @param data `[ceil(outputs / P)]` panels
record PanelWeights(int width, long panelBytes, int outputs, int blocks, MemorySegment data) {
  /// Several for each worker, since the sources of some may have to come from a file first.
  private static final int TASKS_PER_WORKER = 8;

  /// Writes rows into panels.
  @FunctionalInterface
  interface Writer {
    /// Writes an output.
    ///
    /// @param panelAt where its panel begins in data
    /// @param lane the output within it
    void write(WeightMatrix m, long row, long panelAt, int lane);
  }

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
    PanelWeights panels =
        allocate(layout.outputs(), layout.bytes(blocks), spec.outputs(), blocks, allocator);
    panels.write(new PanelWriter(code.format(), layout, panels.data)::write, stacked, workers);
    return panels;
  }

  /// Panels that nothing is written to yet.
  static PanelWeights allocate(
      int width, long panelBytes, int outputs, int blocks, SegmentAllocator allocator) {
    long bytes = Math.multiplyExact((long) Math.ceilDiv(outputs, width), panelBytes);
    MemorySegment data = allocator.allocate(bytes, Split.LINE);
    return new PanelWeights(width, panelBytes, outputs, blocks, data);
  }

  /// Writes all panels.
  void write(Writer writer, List<WeightMatrix> stacked, Workers workers) {
    WeightMatrix[] matrices = stacked.toArray(WeightMatrix[]::new);
    int tasks = Split.tasks(count(), TASKS_PER_WORKER, workers);
    workers.run(
        tasks,
        (task, worker) -> {
          int end = (int) Split.begin(count(), task + 1, tasks);
          for (int p = (int) Split.begin(count(), task, tasks); p < end; p++) {
            writePanel(writer, p, matrices);
          }
        });
  }

  /// How many there are.
  int count() {
    return Math.ceilDiv(outputs, width);
  }

  /// Outputs of a panel: fewer in the last one.
  int outputsOf(int panel) {
    return Math.min(width, outputs - panel * width);
  }

  private void writePanel(Writer writer, int panel, WeightMatrix[] matrices) {
    if (outputsOf(panel) < width) {
      data.asSlice(panel * panelBytes, panelBytes).fill((byte) 0);
    }
    long from = (long) panel * width; // outputs, of all matrices
    long to = from + outputsOf(panel);
    long first = 0; // output of the matrix's first row
    for (WeightMatrix m : matrices) {
      long end = Math.min(to, first + m.outputs());
      for (long o = Math.max(from, first); o < end; o++) {
        writer.write(m, o - first, panel * panelBytes, (int) (o - from));
      }
      first += m.outputs();
    }
  }
}

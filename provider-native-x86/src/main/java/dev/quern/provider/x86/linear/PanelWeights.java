package dev.quern.provider.x86.linear;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

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
/// @param blocks of a row
/// @param data `[ceil(outputs / P)][blocks]` blocks of a panel
record PanelWeights(PanelLayout layout, int outputs, int blocks, MemorySegment data) {
  /// Several for each worker, since the sources of some may have to come from a file first.
  private static final int TASKS_PER_WORKER = 8;

  /// Packs matrices that are stacked by output rows.
  static PanelWeights pack(
      PanelFormat format,
      PanelLayout layout,
      LinearSpec spec,
      List<WeightMatrix> stacked,
      SegmentAllocator allocator,
      Workers workers) {
    int blocks = spec.weights().blocksPerRow(spec.inputs());
    int count = Math.ceilDiv(spec.outputs(), layout.outputs());
    long bytes = Math.multiplyExact((long) count, (long) blocks * layout.blockBytes());
    MemorySegment data = allocator.allocate(bytes, Split.LINE);
    PanelWeights panels = new PanelWeights(layout, spec.outputs(), blocks, data);
    WeightMatrix[] matrices = stacked.toArray(WeightMatrix[]::new);
    int tasks = Split.tasks(count, TASKS_PER_WORKER, workers);
    workers.run(
        tasks,
        (task, worker) -> {
          int end = (int) Split.begin(count, task + 1, tasks);
          for (int p = (int) Split.begin(count, task, tasks); p < end; p++) {
            panels.packPanel(format, p, matrices);
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
    return (long) blocks * layout.blockBytes();
  }

  /// Outputs of a panel: fewer in the last one.
  int outputsOf(int panel) {
    return Math.min(layout.outputs(), outputs - panel * layout.outputs());
  }

  private void packPanel(PanelFormat format, int panel, WeightMatrix[] matrices) {
    if (outputsOf(panel) < layout.outputs()) {
      data.asSlice(panel * panelBytes(), panelBytes()).fill((byte) 0);
    }
    long from = (long) panel * layout.outputs(); // outputs, of all matrices
    long to = from + outputsOf(panel);
    long first = 0; // output of the matrix's first row
    for (WeightMatrix m : matrices) {
      long end = Math.min(to, first + m.outputs());
      for (long o = Math.max(from, first); o < end; o++) {
        packOutput(format, m, o - first, panel * panelBytes(), (int) (o - from));
      }
      first += m.outputs();
    }
  }

  private void packOutput(PanelFormat format, WeightMatrix m, long row, long panelAt, int lane) {
    long source = row * m.format().rowBytes(m.inputs());
    long block = panelAt;
    for (int b = 0; b < blocks; b++) {
      data.set(JAVA_SHORT, block + Short.BYTES * lane, format.scale(m.data(), source));
      for (int j = 0; j < layout.bits(); j++) {
        long at = block + layout.wordsAt(j) + Integer.BYTES * lane;
        data.set(JAVA_INT, at, format.words().word(m.data(), source, j));
      }
      source += m.format().blockBytes();
      block += layout.blockBytes();
    }
  }
}

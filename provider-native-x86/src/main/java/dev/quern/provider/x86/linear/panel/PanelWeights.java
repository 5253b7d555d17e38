package dev.quern.provider.x86.linear.panel;

import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearSpec;
import dev.quern.provider.x86.memory.Split;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;

/// Packed weights: panels one behind the other. What is missing from the last one are rows of
/// zeros.
///
/// @param width P, outputs of a panel
/// @param panelBytes of a panel
/// @param outputs rows of the matrices, stacked
/// @param blocks of a row
/// @param data `[ceil(outputs / P)]` panels
public record PanelWeights(
    int width, long panelBytes, int outputs, int blocks, MemorySegment data) {
  /// Several for each worker, since the sources of some may have to come from a file first.
  private static final int TASKS_PER_WORKER = 8;

  /// Packs matrices that are stacked by output rows.
  ///
  /// @param panels how they lie
  /// @param packing of these panels
  public static PanelWeights pack(
      PackedPanels panels,
      RowPacking packing,
      LinearSpec spec,
      List<WeightMatrix> stacked,
      SegmentAllocator allocator,
      Workers workers) {
    int blocks = Math.ceilDiv(spec.inputs(), panels.inputs());
    PanelWeights weights =
        allocate(panels.outputs(), panels.bytes(blocks), spec.outputs(), blocks, allocator);
    weights.write(packing, blocks * panels.inputs(), stacked, workers);
    return weights;
  }

  /// Panels that nothing is written to yet.
  static PanelWeights allocate(
      int width, long panelBytes, int outputs, int blocks, SegmentAllocator allocator) {
    long bytes = Math.multiplyExact((long) Math.ceilDiv(outputs, width), panelBytes);
    MemorySegment data = allocator.allocate(bytes, Split.LINE);
    return new PanelWeights(width, panelBytes, outputs, blocks, data);
  }

  /// Writes all panels.
  ///
  /// @param inputs of whole blocks
  void write(RowPacking packing, int inputs, List<WeightMatrix> stacked, Workers workers) {
    int steps = inputs / packing.inputs();
    int tasks = Split.tasks(count(), TASKS_PER_WORKER, workers);
    workers.run(
        tasks,
        (task, worker) -> {
          try (Arena arena = Arena.ofConfined()) {
            long bytes = packing.bytes(stacked.getFirst().inputs(), steps);
            MemorySegment memory = arena.allocate(bytes, Split.LINE);
            int end = (int) Split.begin(count(), task + 1, tasks);
            for (int p = (int) Split.begin(count(), task, tasks); p < end; p++) {
              for (int lane = 0; lane < width; lane += PackingSteps.ROWS) {
                packing.pack(stacked, p * width + lane, steps, data, p * panelBytes, lane, memory);
              }
            }
          }
        });
  }

  /// How many there are.
  public int count() {
    return Math.ceilDiv(outputs, width);
  }

  /// Outputs of a panel: fewer in the last one.
  public int outputsOf(int panel) {
    return Math.min(width, outputs - panel * width);
  }
}

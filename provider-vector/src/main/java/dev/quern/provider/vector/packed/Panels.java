package dev.quern.provider.vector.packed;

import static dev.quern.provider.vector.lanes.Lanes.L;

import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.provider.vector.lanes.Split;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;

/// Packed weights: panels of `2 * L` outputs, whose lanes are outputs, so that no sum crosses
/// lanes. What a panel looks like inside is the format's affair; one packed copy serves one row of
/// x and many. What is missing from the last panel is zero.
///
/// @param format the layout
/// @param outputs rows of the matrices, stacked
/// @param inputs their columns; a multiple of 32
/// @param panelBytes of a panel
/// @param data all panels
public record Panels(
    PanelFormat format, int outputs, int inputs, long panelBytes, MemorySegment data) {
  /// Outputs of a panel.
  static final int OUTPUTS = 2 * L;

  /// Packs matrices, stacked by outputs.
  static Panels pack(
      PanelFormat format,
      int outputs,
      int inputs,
      List<WeightMatrix> stacked,
      SegmentAllocator allocator,
      Workers workers) {
    int count = Math.ceilDiv(outputs, OUTPUTS);
    long panelBytes = format.panelBytes(inputs);
    long bytes = Math.multiplyExact(count, panelBytes);
    Panels panels =
        new Panels(format, outputs, inputs, panelBytes, allocator.allocate(bytes, Split.LINE));
    WeightMatrix[] matrices = stacked.toArray(WeightMatrix[]::new);
    Split.run(
        count,
        workers,
        (begin, end, _) -> {
          for (int p = (int) begin; p < end; p++) {
            panels.packPanel(p, matrices);
          }
        });
    return panels;
  }

  /// How many there are.
  int count() {
    return Math.ceilDiv(outputs, OUTPUTS);
  }

  /// Offset of a panel in bytes.
  long at(int panel) {
    return panel * panelBytes;
  }

  /// The panel behind one; the last has itself.
  int next(int panel) {
    return Math.min(panel + 1, count() - 1);
  }

  private void packPanel(int panel, WeightMatrix[] matrices) {
    int first = 0; // output of the matrix's first row
    for (WeightMatrix m : matrices) {
      int begin = Math.max(panel * OUTPUTS, first);
      int end = Math.min((panel + 1) * OUTPUTS, first + m.outputs());
      for (int o = begin; o < end; o++) {
        format.pack(m, o - first, data, at(panel), o % OUTPUTS);
      }
      first += m.outputs();
    }
  }
}

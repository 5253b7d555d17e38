package dev.quern.provider.x86.linear;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.provider.x86.memory.Routine;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Packs rows of stacked matrices into panels, eight at a time. Rows that lie one behind the other
/// and fill the panel's blocks are read where they are; others are copied first, and what is
/// missing of a row or of eight rows is zero.
///
/// A task's memory:
///
/// ```
/// arguments (PackingSteps) | scales of eight rows | eight rows, where they are copied
/// ```
///
/// @param routine its arguments are those of [PackingSteps]
/// @param inputs that it packs in a step, whole blocks of the format
record RowPacking(Routine routine, BlockFormat format, int inputs) {
  private static final int ROWS = PackingSteps.ROWS;

  /// Bytes of a row of so many steps.
  private long rowBytes(int steps) {
    return steps * format.rowBytes(inputs);
  }

  /// Bytes of a row's part of the scale plane.
  private long scaleRowBytes(int rowInputs) {
    return format.scalePlane().bytes(1, format.blocksPerRow(rowInputs));
  }

  private long rowsAt(int rowInputs) {
    return Split.align(PackingSteps.ARGUMENT_BYTES + ROWS * scaleRowBytes(rowInputs));
  }

  /// Bytes of a task's memory.
  ///
  /// @param rowInputs of a row
  /// @param steps that have them all
  long bytes(int rowInputs, int steps) {
    return rowsAt(rowInputs) + ROWS * rowBytes(steps);
  }

  /// Packs eight rows; fewer if the matrices end.
  ///
  /// @param first output of all matrices
  /// @param data panels
  /// @param panelAt where the panel begins in data
  /// @param lane the first output's within it
  /// @param memory the task's
  void pack(
      List<WeightMatrix> stacked,
      int first,
      int steps,
      MemorySegment data,
      long panelAt,
      int lane,
      MemorySegment memory) {
    int rowInputs = stacked.getFirst().inputs();
    long scaleRow = scaleRowBytes(rowInputs);
    long rowsAt = rowsAt(rowInputs);
    long row = first;
    int at = 0;
    while (at < stacked.size() && row >= stacked.get(at).outputs()) {
      row -= stacked.get(at).outputs();
      at++;
    }
    MemorySegment source = memory;
    long from = memory.address() + rowsAt;
    if (at < stacked.size()
        && row + ROWS <= stacked.get(at).outputs()
        && rowInputs == steps * inputs) {
      WeightMatrix m = stacked.get(at);
      source = m.data();
      from = source.address() + row * rowBytes(steps);
      copyScales(m, row, ROWS, memory, 0);
    } else {
      memory.asSlice(PackingSteps.ARGUMENT_BYTES).fill((byte) 0);
      long bytes = format.rowBytes(rowInputs);
      for (int r = 0; r < ROWS && at < stacked.size(); r++) {
        WeightMatrix m = stacked.get(at);
        MemorySegment.copy(m.data(), row * bytes, memory, rowsAt + r * rowBytes(steps), bytes);
        copyScales(m, row, 1, memory, r);
        row++;
        if (row == m.outputs()) {
          row = 0;
          at++;
        }
      }
    }
    PackingSteps.arguments(
        memory,
        from,
        rowBytes(steps),
        data.address() + panelAt,
        lane,
        steps,
        memory.address() + PackingSteps.ARGUMENT_BYTES,
        scaleRow);
    routine.call(memory.address(), memory, source, data);
  }

  /// Scales of so many rows, to the place of those from a row on.
  private void copyScales(WeightMatrix m, long row, int rows, MemorySegment memory, int to) {
    long bytes = scaleRowBytes(m.inputs());
    MemorySegment.copy(
        m.scales(), row * bytes, memory, PackingSteps.ARGUMENT_BYTES + to * bytes, rows * bytes);
  }
}

package dev.quern.provider.x86.linear.panel;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.provider.x86.memory.Routine;
import dev.quern.provider.x86.memory.Split;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Packs rows of stacked matrices into panels, eight at a time. These are copied first: where a
/// file is cut while it is mapped, Java's copy throws, and code of ours would end the process; and
/// rows need not lie together nor fill the panel's blocks. What is missing of a row or of eight
/// rows is zero.
///
/// A task's memory, which is zero at first:
///
/// ```
/// arguments (PackingSteps) | scales of eight rows | eight rows
/// ```
///
/// @param routine its arguments are those of [PackingSteps]
/// @param inputs that it packs in a step, whole blocks of the format
public record RowPacking(Routine routine, BlockFormat format, int inputs) {
  private static final int ROWS = PackingSteps.ROWS;
  private static final int SCALES_AT = PackingSteps.ARGUMENT_BYTES;

  /// Bytes of a row's part of the scale plane.
  private long scaleBytes(int rowInputs) {
    return format.scalePlane().bytes(1, format.blocksPerRow(rowInputs));
  }

  /// Bytes from a row to the next.
  private long stride(int steps) {
    return steps * format.rowBytes(inputs);
  }

  private long rowsAt(int rowInputs) {
    return Split.align(SCALES_AT + ROWS * scaleBytes(rowInputs));
  }

  /// Bytes of a task's memory.
  ///
  /// @param rowInputs of a row
  /// @param steps that have them all
  long bytes(int rowInputs, int steps) {
    return rowsAt(rowInputs) + ROWS * stride(steps);
  }

  /// Packs eight rows; fewer if the matrices end.
  ///
  /// @param first output of all matrices
  /// @param steps that have a row
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
    long rowsAt = rowsAt(rowInputs);
    long scaleBytes = scaleBytes(rowInputs);
    int row = first;
    int copied = 0;
    for (WeightMatrix m : stacked) {
      int count = Math.clamp(m.outputs() - row, 0, ROWS - copied);
      if (count > 0) {
        long stride = stride(steps);
        long to = rowsAt + copied * stride;
        copy(m.data(), format.rowBytes(rowInputs), row, count, memory, to, stride);
        long scalesTo = SCALES_AT + copied * scaleBytes;
        copy(m.scales(), scaleBytes, row, count, memory, scalesTo, scaleBytes);
        copied += count;
      }
      row = Math.max(0, row - m.outputs());
    }
    if (copied < ROWS) {
      memory.asSlice(SCALES_AT + copied * scaleBytes, (ROWS - copied) * scaleBytes).fill((byte) 0);
      memory.asSlice(rowsAt + copied * stride(steps)).fill((byte) 0);
    }
    long rows = memory.address() + rowsAt;
    PackingSteps.from(memory, rows, stride(steps), memory.address() + SCALES_AT, scaleBytes);
    PackingSteps.to(memory, data.address() + panelAt, lane, steps);
    routine.call(memory.address(), memory, memory, data);
  }

  /// Copies rows from one on.
  ///
  /// @param at where the first goes in memory
  private static void copy(
      MemorySegment from,
      long bytes,
      long row,
      int count,
      MemorySegment memory,
      long at,
      long stride) {
    if (bytes == stride) {
      MemorySegment.copy(from, row * bytes, memory, at, count * bytes);
      return;
    }
    for (int r = 0; r < count; r++) {
      MemorySegment.copy(from, (row + r) * bytes, memory, at + r * stride, bytes);
    }
  }
}

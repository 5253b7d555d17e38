package dev.quern.llama.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/// The order of a matrix's rows in a container: which row there is row `r` here.
///
/// Hugging Face stores the rows of Q and K so that RoPE pairs element j of a head with element `j +
/// headDim / 2`; GGUF, and Meta, so that pairs are neighbours. Rotating neighbours of reordered
/// rows gives the same numbers as rotating halves. They are reordered, and not rotated in the
/// container's way, so that attention sums the products of a head in one order whatever a model
/// came in: its logits are then the same to the bit. It costs a copy of Q and K at load.
@FunctionalInterface
interface RowOrder {
  RowOrder AS_STORED = row -> row;

  /// The container's row for row `row`.
  int stored(int row);

  /// Rows that the container has in halves of heads of `headDim`.
  static RowOrder halves(int headDim) {
    return row -> {
      int inHead = row % headDim;
      return row - inHead + inHead % 2 * (headDim / 2) + inHead / 2;
    };
  }

  /// A copy of dense rows, in this order.
  ///
  /// @param rows `[outputs][rowBytes]`
  default MemorySegment copy(
      MemorySegment rows, int outputs, long rowBytes, SegmentAllocator allocator) {
    MemorySegment copy = allocator.allocate(rows.byteSize(), 64);
    for (int r = 0; r < outputs; r++) {
      MemorySegment.copy(rows, stored(r) * rowBytes, copy, r * rowBytes, rowBytes);
    }
    return copy;
  }
}

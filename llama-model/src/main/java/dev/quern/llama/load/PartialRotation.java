package dev.quern.llama.load;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/// The order of Q's and K's rows where RoPE turns a part of each head whose pairs are its halves.
///
/// The kernels pair element j of a head with `j + headDim / 2`, the model j with `j + dim / 2` of
/// the part. Products of queries and keys are the same in any order that both have, so each pair's
/// rows are put where the kernels look for them, and the rows that don't turn behind, where the
/// table's angles are 0.
///
/// @param headDim elements of a head
/// @param dim how many of them, from its start, turn
/// @param rows of the matrix that belong to queries and keys; those behind stay
record PartialRotation(int headDim, int dim, int rows) {
  /// The stored row that becomes row `row`.
  int stored(int row) {
    if (row >= rows) {
      return row;
    }
    int half = row % headDim / (headDim / 2); // 0 or 1
    int pair = row % (headDim / 2);
    int turning = dim / 2;
    int inHead =
        pair < turning
            ? half * turning + pair
            : dim + half * (headDim / 2 - turning) + pair - turning;
    return row - row % headDim + inHead;
  }

  /// A copy in this order.
  WeightMatrix copy(WeightMatrix matrix, SegmentAllocator allocator) {
    MemorySegment data = copy(matrix.data(), matrix.outputs(), allocator);
    MemorySegment scales =
        matrix.scales().byteSize() == 0
            ? matrix.scales()
            : copy(matrix.scales(), matrix.outputs(), allocator);
    return new WeightMatrix(matrix.format(), data, scales, matrix.outputs(), matrix.inputs());
  }

  private MemorySegment copy(MemorySegment plane, int outputs, SegmentAllocator allocator) {
    long rowBytes = plane.byteSize() / outputs;
    MemorySegment copy = allocator.allocate(plane.byteSize(), 64);
    for (int row = 0; row < outputs; row++) {
      MemorySegment.copy(plane, stored(row) * rowBytes, copy, row * rowBytes, rowBytes);
    }
    return copy;
  }
}

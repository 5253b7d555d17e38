package dev.quern.provider.scalar;

import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;

/// Packs a bias and nothing else: weights are read where they lie.
record ScalarPacker(LinearSpec spec, LinearArithmetic arithmetic) implements LinearPacker {
  @Override
  public LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers) {
    return new ScalarLinear(spec, arithmetic, stacked, MemorySegment.NULL);
  }

  @Override
  public LinearKernel pack(
      List<WeightMatrix> stacked, MemorySegment bias, SegmentAllocator packed, Workers workers) {
    MemorySegment own = packed.allocate(bias.byteSize(), Float.BYTES);
    return new ScalarLinear(spec, arithmetic, stacked, own.copyFrom(bias));
  }
}

package dev.quern.op;

import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;

/// Turns weights into a kernel, once for each kernel, at load. The packed layout never leaves the
/// provider.
///
/// @since 0.1
/// @stability contract
public interface LinearPacker {
  /// Packs matrices that are stacked by output rows: the kernel's outputs are those of the first
  /// matrix, then those of the second, and so on (Q, K and V, or gate and up), without the caller
  /// copying them together.
  ///
  /// @param stacked at least one matrix; all of the spec's format and inputs; their outputs add up
  ///   to the spec's
  /// @param packed where packed weights are allocated; its memory lives as long as the kernel is
  ///   used. A kernel that retains the source may allocate nothing
  /// @param workers threads to pack with
  LinearKernel pack(List<WeightMatrix> stacked, SegmentAllocator packed, Workers workers);

  /// The same, for a spec with a bias. A packer copies what it needs of the bias to packed memory:
  /// the caller may release it as soon as this has returned, whatever the kernel retains (SPEC.md,
  /// L14).
  ///
  /// A packer that does not override this refuses every bias when weights are packed: it was
  /// written before there was one, and would leave it out.
  ///
  /// @param bias `f32[outputs]`, of all stacked matrices together and in their order; native
  ///   memory, 4-byte aligned, that other threads may read
  /// @throws UnsupportedOperationException if the packer takes no bias
  default LinearKernel pack(
      List<WeightMatrix> stacked, MemorySegment bias, SegmentAllocator packed, Workers workers) {
    throw new UnsupportedOperationException("the packer takes no bias");
  }
}

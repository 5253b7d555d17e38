package dev.quern.op;

/// An operator that can be run. Kernels are immutable and thread-safe, start no threads, and
/// allocate next to nothing per call (SPEC.md, P12 to P16).
///
/// @since 0.1
/// @stability contract
public interface Kernel {
  /// Bytes of scratch that a call with that many rows and that parallelism needs. It never shrinks
  /// when either grows, so the scratch for the largest call serves every call.
  ///
  /// @param rows rows of the call, at least 1
  /// @param parallelism [dev.quern.data.Workers#parallelism()] of the call, at least 1
  long scratchBytes(int rows, int parallelism);
}

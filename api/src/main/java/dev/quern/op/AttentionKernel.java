package dev.quern.op;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.Workspace;

/// Writes to a KV cache and attends over it. A call serves one sequence.
///
/// @since 0.1
/// @stability contract
public interface AttentionKernel extends Kernel {
  /// Converts the keys and values of consecutive positions to the cache's format and stores them.
  ///
  /// @param k `[rows, kvHeads * headDim]`; row r belongs to `position + r`
  /// @param v as `k`
  /// @param cache the cache to write to
  /// @param position the first row's position; `position + rows <= cache.capacity()`
  /// @param w scratch and threads
  void append(F32Matrix k, F32Matrix v, KvCache cache, int position, Workspace w);

  /// Causal attention: row r attends to positions `0 .. firstPosition + r`, or to the last of them
  /// that the spec's window holds.
  ///
  /// @param q `[rows, heads * headDim]`
  /// @param cache holds all positions below `firstPosition + rows` that rows attend to
  /// @param firstPosition the first row's position
  /// @param y `[rows, heads * headDim]`; shares no memory with q or the cache
  /// @param w scratch and threads
  void apply(F32Matrix q, KvCache cache, int firstPosition, F32Matrix y, Workspace w);
}

package dev.quern.op;

import dev.quern.data.F32Matrix;
import dev.quern.data.KvCache;
import dev.quern.data.SequenceRows;
import dev.quern.data.Workspace;
import java.util.List;

/// Writes to KV caches and attends over them. A call serves one sequence, or several, each of which
/// gets what a call of its own gives it, bit for bit (SPEC.md, A12). The variant that a sequence
/// runs on goes by its own rows.
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

  /// Stores the keys and values of several sequences, each in its own cache. One by one, unless a
  /// kernel overrides this.
  ///
  /// @param k `[rows, kvHeads * headDim]`: the rows of the first sequence, then of the second, ...
  /// @param v as `k`
  /// @param batch at most the spec's `sequences`; their rows add up to k's, and no two caches share
  ///   memory
  /// @param w scratch for all rows, and threads
  default void append(F32Matrix k, F32Matrix v, List<SequenceRows> batch, Workspace w) {
    int row = 0;
    for (int i = 0; i < batch.size(); i++) {
      SequenceRows s = batch.get(i);
      int end = row + s.rows();
      append(k.rowRange(row, end), v.rowRange(row, end), s.cache(), s.firstPosition(), w);
      row = end;
    }
  }

  /// Causal attention of several sequences, each over its own cache. One by one, unless a kernel
  /// overrides this.
  ///
  /// @param q `[rows, heads * headDim]`: the rows of the first sequence, then of the second, ...
  /// @param batch at most the spec's `sequences`; their rows add up to q's. Two may read one cache
  /// @param y `[rows, heads * headDim]`; shares no memory with q or any cache
  /// @param w scratch for all rows, and threads
  default void apply(F32Matrix q, List<SequenceRows> batch, F32Matrix y, Workspace w) {
    int row = 0;
    for (int i = 0; i < batch.size(); i++) {
      SequenceRows s = batch.get(i);
      int end = row + s.rows();
      apply(q.rowRange(row, end), s.cache(), s.firstPosition(), y.rowRange(row, end), w);
      row = end;
    }
  }
}

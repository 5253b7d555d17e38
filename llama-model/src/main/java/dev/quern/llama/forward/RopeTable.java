package dev.quern.llama.forward;

import dev.quern.data.F32Matrix;
import dev.quern.llama.checkpoint.LlamaConfig;
import dev.quern.llama.checkpoint.RopeShape;
import java.lang.foreign.SegmentAllocator;

/// Angles for RoPE, as the kernel takes them: row p holds the cosines of position p's pairs, then
/// their sines, both times the scaling's magnitude. Pair i turns by `p * frequency[i]`
/// ([RopeShape#frequencies]). Pairs past the part that turns don't.
public final class RopeTable {
  private RopeTable() {}

  /// The tables of global and of local layers.
  ///
  /// @param positions rows, and the session's positions, which some scalings depend on
  public static ByReach<F32Matrix> byReach(
      LlamaConfig config, int positions, SegmentAllocator allocator) {
    return ByReach.of(config.rope(), config.localRope())
        .map(rope -> of(config.headDim(), rope, positions, positions, allocator));
  }

  /// @param headDim elements of a head
  /// @param rope what turns
  /// @param context positions of a session, which some scalings depend on
  /// @param positions rows
  /// @return `[positions, headDim]`
  public static F32Matrix of(
      int headDim, RopeShape rope, int context, int positions, SegmentAllocator allocator) {
    int pairs = headDim / 2;
    double[] frequency = rope.frequencies(context);
    double magnitude = rope.scaling().magnitude();
    F32Matrix table = F32Matrix.allocate(allocator, positions, headDim);
    for (int p = 0; p < positions; p++) {
      for (int i = 0; i < pairs; i++) {
        boolean turns = i < frequency.length;
        table.set(p, i, turns ? (float) (magnitude * Math.cos(p * frequency[i])) : 1);
        table.set(p, pairs + i, turns ? (float) (magnitude * Math.sin(p * frequency[i])) : 0);
      }
    }
    return table;
  }
}

package dev.quern.llama.forward;

import dev.quern.data.F32Matrix;
import dev.quern.llama.checkpoint.LlamaConfig;
import java.lang.foreign.SegmentAllocator;

/// Angles for RoPE, as the kernel takes them: row p holds the cosines of position p's pairs, then
/// their sines. Pair i turns by `p * scale * base^(-2i / ropeDim) / factor[i]` (Su et al. 2021; the
/// factors are Llama 3's frequency scaling, which GGUF stores as `rope_freqs.weight`). Pairs past
/// `ropeDim` don't turn.
public final class RopeTable {
  private RopeTable() {}

  /// The tables of global and of local layers.
  ///
  /// @param factors as for [#of]
  public static ByReach<F32Matrix> byReach(
      LlamaConfig config, float[] factors, int positions, SegmentAllocator allocator) {
    LlamaConfig local = config.inLocalLayers();
    F32Matrix global = of(config, factors, positions, allocator);
    return new ByReach<>(
        global, local == config ? global : of(local, new float[0], positions, allocator));
  }

  /// @param factors `[ropeDim / 2]`, or empty where there is no frequency scaling
  public static F32Matrix of(
      LlamaConfig config, float[] factors, int positions, SegmentAllocator allocator) {
    int pairs = config.headDim() / 2;
    double[] frequency = new double[pairs]; // 0 past ropeDim: cosine 1, sine 0
    for (int i = 0; i < config.ropeDim() / 2; i++) {
      frequency[i] =
          config.ropeScale()
              * Math.pow(config.ropeBase(), -2.0 * i / config.ropeDim())
              / (factors.length == 0 ? 1 : factors[i]);
    }
    F32Matrix table = F32Matrix.allocate(allocator, positions, config.headDim());
    for (int p = 0; p < positions; p++) {
      for (int i = 0; i < pairs; i++) {
        table.set(p, i, (float) Math.cos(p * frequency[i]));
        table.set(p, pairs + i, (float) Math.sin(p * frequency[i]));
      }
    }
    return table;
  }
}

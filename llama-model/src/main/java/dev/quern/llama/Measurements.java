package dev.quern.llama;

import dev.quern.llama.error.LlamaException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// What benchmarks need of a model and nobody else does. It is public since benchmarks are modules
/// of their own; applications have no use for it, and it is no promise.
///
/// @since 0.1
/// @stability api
public final class Measurements {
  private Measurements() {}

  /// Goes on by so many positions whose keys and values are random numbers. It takes the time of
  /// storing them, where running a prompt of that length may take minutes; what a later token costs
  /// does not depend on the values. What it says does, so the text from then on is noise.
  ///
  /// @param positions how many; the history has token 0 in their place
  /// @param seed of the numbers
  /// @throws LlamaException if they don't fit
  public static void fillWithNoise(LlamaSession session, int positions, long seed) {
    session.fillWithNoise(positions, seed);
  }

  /// Memory that lies as packed weights do, in huge pages where these do: what decoding is compared
  /// with is read from it.
  ///
  /// @param arena that it belongs to
  public static MemorySegment allocateAsWeights(LlamaModel model, long bytes, Arena arena) {
    model.requireOpen();
    return model.hugePages().exactly(bytes, arena).allocate(bytes, 64);
  }
}

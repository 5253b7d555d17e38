package dev.quern.llama.checkpoint;

import dev.quern.llama.error.LlamaException;
import java.util.Arrays;
import java.util.Locale;

/// RoPE of a model (Su et al. 2021).
///
/// @param dim elements of a head that it turns, from its start; the rest stays as it is
/// @param base base of the frequencies
/// @param scaling how it is stretched over more positions
/// @since 0.1
/// @stability api
public record RopeShape(int dim, double base, RopeScaling scaling) {
  /// @throws LlamaException where the numbers, each of them in its range, give angles together that
  ///   are not finite
  public RopeShape {
    double sum = scaling.magnitude() + Arrays.stream(scaling.frequencies(dim, base, 1)).sum();
    if (!Double.isFinite(sum)) {
      throw new LlamaException(
          String.format(
              Locale.ROOT,
              "model: RoPE of %d elements with base %s and %s, expected finite angles",
              dim,
              base,
              scaling));
    }
  }

  /// What pairs turn by from one position to the next.
  ///
  /// @param context positions of a session, which some scalings depend on
  /// @return `[dim / 2]`, radians
  public double[] frequencies(int context) {
    return scaling.frequencies(dim, base, context);
  }
}

package dev.quern.llama.checkpoint;

/// RoPE of a model (Su et al. 2021).
///
/// @param dim elements of a head that it turns, from its start; the rest stays as it is
/// @param base base of the frequencies
/// @param scaling how it is stretched over more positions
/// @since 0.1
/// @stability api
public record RopeShape(int dim, double base, RopeScaling scaling) {
  /// What pairs turn by from one position to the next.
  ///
  /// @param context positions of a session, which some scalings depend on
  /// @return `[dim / 2]`, radians
  public double[] frequencies(int context) {
    return scaling.frequencies(dim, base, context);
  }
}

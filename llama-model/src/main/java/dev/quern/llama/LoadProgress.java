package dev.quern.llama;

/// Hears how far loading is.
///
/// @since 0.1
/// @stability api
@FunctionalInterface
public interface LoadProgress {
  /// Called after each tensor, on the loading thread.
  ///
  /// @param packedBytes bytes of weights packed so far
  /// @param totalBytes bytes of all weights
  void packed(long packedBytes, long totalBytes);
}

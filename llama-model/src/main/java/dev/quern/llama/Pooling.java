package dev.quern.llama;

/// How the vectors behind a text's tokens become one.
///
/// @since 0.1
/// @stability api
public enum Pooling {
  /// Their mean.
  MEAN,
  /// The last one, which alone has seen the whole text.
  LAST
}

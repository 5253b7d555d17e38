package dev.quern.llama;

/// Hears a generation as it comes.
///
/// @since 0.1
/// @stability api
@FunctionalInterface
public interface PieceListener {
  void accept(Piece piece);

  /// There are no more pieces. Not called where the generation failed.
  default void end(Generation generation) {}
}

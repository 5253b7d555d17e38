package dev.quern.llama.checkpoint;

import java.util.OptionalDouble;

/// The layers of a model that attend to a window of positions (sliding-window attention, Beltagy et
/// al. 2020); the others are global, and attend to all.
///
/// @param window positions that a query sees there, its own included
/// @param period every so many layers the last one is global, so of 6 the first five are local; 0:
///   all layers are local
/// @param ropeBase base of RoPE's frequencies in local layers, where positions are not scaled;
///   empty: local layers rotate as global ones do
/// @since 0.1
/// @stability api
public record LocalLayers(int window, int period, OptionalDouble ropeBase) {

  /// Whether a layer is one of them.
  ///
  /// @param layer from 0
  public boolean contains(int layer) {
    return period == 0 || layer % period < period - 1;
  }
}

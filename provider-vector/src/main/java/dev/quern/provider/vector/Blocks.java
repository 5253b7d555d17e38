package dev.quern.provider.vector;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;

/// Where blocks lie.
final class Blocks {
  private Blocks() {}

  /// Index in the matrix of the block that weight `from` of a row begins.
  static long index(WeightMatrix w, int row, int from) {
    return ((long) row * w.inputs() + from) / w.format().blockElements();
  }

  /// Its offset in the data plane, in bytes.
  static long offset(WeightMatrix w, int row, int from) {
    BlockFormat format = w.format();
    return index(w, row, from) * format.blockBytes();
  }
}

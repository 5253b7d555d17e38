package dev.quern.provider.x86.activation;

import dev.quern.data.KvFormat;
import dev.quern.provider.x86.memory.Split;

/// Where attention of one size of heads has what in memory. Rows of `width` floats are those of a
/// head, filled up with zeros to whole vectors. A worker's scratch:
///
/// ```
/// arguments: 128 bytes
/// keys:      f32[POSITIONS][width]   a tile of the cache
/// values:    f32[POSITIONS][width]
/// q:         f32[QUERIES][width]
/// states:    of QUERIES
/// more:      of QUERIES              of a later range of positions
/// ```
///
/// What a query has seen is its state:
///
/// ```
/// max:        f32[lanes]       the largest score so far, in all lanes
/// correction: f32[lanes]       of the current tile: exp(max before - max)
/// weights:    f32[POSITIONS]   of it: scores, then exp(score - max)
/// total:      f32[lanes]       Σ exp(score - max), each lane a part of it
/// out:        f32[width]       Σ exp(score - max) * V
/// ```
///
/// @param lanes floats of a vector
record AttentionLayout(int headDim, KvFormat kv, int lanes) {
  /// Positions of a tile.
  static final int POSITIONS = 32;

  /// Queries of a task, at most.
  static final int QUERIES = 64;

  private static final int ARGUMENT_BYTES = 128;

  boolean f16() {
    return kv.equals(KvFormat.F16);
  }

  /// Vectors of a row, the last one maybe not whole.
  int vectors() {
    return Math.ceilDiv(headDim, lanes);
  }

  /// Floats of the last vector if it is not whole; 0 if it is.
  int rest() {
    return headDim % lanes;
  }

  /// Of a row of the tile, of q and of a state's `out`.
  int rowBytes() {
    return vectors() * lanes * Float.BYTES;
  }

  /// Of a position of one head in the cache.
  int positionBytes() {
    return headDim * kv.elementBytes();
  }

  int keysAt() {
    return ARGUMENT_BYTES;
  }

  int valuesAt() {
    return keysAt() + POSITIONS * rowBytes();
  }

  int queriesAt() {
    return valuesAt() + POSITIONS * rowBytes();
  }

  long statesAt() {
    return Split.align(queriesAt() + (long) QUERIES * rowBytes());
  }

  long moreAt() {
    return statesAt() + QUERIES * stateBytes();
  }

  /// Bytes of a worker's scratch.
  long workerBytes() {
    return moreAt() + QUERIES * stateBytes();
  }

  private int vectorBytes() {
    return lanes * Float.BYTES;
  }

  int correctionAt() {
    return vectorBytes();
  }

  int weightsAt() {
    return correctionAt() + vectorBytes();
  }

  int totalAt() {
    return weightsAt() + POSITIONS * Float.BYTES;
  }

  int outAt() {
    return totalAt() + vectorBytes();
  }

  /// From one state to the next.
  long stateBytes() {
    return Split.align(outAt() + rowBytes());
  }
}

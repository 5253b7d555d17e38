package dev.quern.provider.vector.attention;

import static dev.quern.provider.vector.attention.KvTile.POSITIONS;

import dev.quern.data.KvFormat;
import dev.quern.op.AttentionSpec;
import dev.quern.provider.vector.lanes.Split;

/// What attention keeps in scratch, and the shapes of its products: all that follows from the
/// operator alone. The state of a query is
///
/// ```
/// max:   f32           the largest score so far
/// total: f32           Σ exp(score - max)
///                      (up to LINE bytes)
/// out:   f32[width]    Σ exp(score - max) * V, where width is headDim rounded up to whole panels
/// ```
///
/// and the scratch of a worker
///
/// ```
/// staged:  a tile of the cache, if its rows are no whole panels: [POSITIONS][width]
/// words:   what turning keys takes
/// tile:    f32[width][POSITIONS] keys, then f32[POSITIONS][width] values
/// q:       f32[QUERIES][headDim]
/// scores:  f32[QUERIES][POSITIONS]     then weights: exp(score - max)
/// states:  of QUERIES
/// ```
///
/// @param headDim elements of a head
/// @param tile the cache's rows of `width` elements
/// @param scores queries times keys
/// @param outputs weights times values
record Layout(int headDim, KvTile tile, Product scores, Product outputs) {
  /// Queries of a task, at most: so many share the bringing of a tile to F32, and their scores and
  /// states still fit beside it in an L2 cache of 256 KiB.
  static final int QUERIES = 64;

  static Layout of(AttentionSpec spec) {
    int headDim = spec.headDim();
    int width = Math.ceilDiv(headDim, Product.COLUMNS) * Product.COLUMNS;
    return new Layout(
        headDim,
        new KvTile(width, spec.kv().equals(KvFormat.F16)),
        new Product(4L * headDim, 4L * POSITIONS, POSITIONS, 4L * POSITIONS),
        new Product(4L * POSITIONS, 4L * width, width, stateBytes(width)));
  }

  int width() {
    return tile.width();
  }

  /// Whether rows of the cache are whole panels, and need no staging.
  boolean isWhole() {
    return width() == headDim;
  }

  /// Bytes of a query's state.
  long stateBytes() {
    return stateBytes(width());
  }

  private static long stateBytes(int width) {
    return Split.LINE + Split.align(4L * width);
  }

  /// Bytes of a worker's scratch.
  long scratchBytes() {
    return statesAt() + QUERIES * stateBytes();
  }

  long wordsAt() {
    return isWhole() ? 0 : 4L * POSITIONS * width();
  }

  long tileAt() {
    return wordsAt() + Split.align(KvTile.wordsBytes());
  }

  long queriesAt() {
    return tileAt() + 4L * POSITIONS * width();
  }

  long scoresAt() {
    return queriesAt() + Split.align(4L * QUERIES * headDim);
  }

  long statesAt() {
    return scoresAt() + 4L * QUERIES * POSITIONS;
  }
}

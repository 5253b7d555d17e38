package dev.quern.provider.vector.direct;

import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;

/// How weights of a format are read where they lie.
///
/// @param decoder for several rows of x
/// @param dot for one row of x
public record BlockReader(Decoder decoder, Dot dot) {
  /// Decodes weights to F32, exactly as SPEC.md's rule F1 says.
  @FunctionalInterface
  public interface Decoder {
    /// @param w the matrix
    /// @param row its row
    /// @param from the first weight of the row; a multiple of 256
    /// @param count how many; whole blocks
    /// @param s where they go, at `to`
    /// @param to offset in bytes
    /// @param room offset in s of [#DECODER_BYTES]
    void decode(WeightMatrix w, int row, int from, int count, MemorySegment s, long to, long room);
  }

  /// Multiplies two rows of weights by one row of x. Two, since they share the loads of x, and
  /// since each alone would wait for its own additions. Each result is what it would be beside any
  /// other row.
  ///
  /// Results are sums that are still to be added up ([dev.quern.provider.vector.lanes.Lanes#sum]).
  @FunctionalInterface
  public interface Dot {
    /// @param w the matrix
    /// @param row0 one of its rows
    /// @param row1 another, or the same
    /// @param x `[inputs]` floats
    /// @param xAt their offset in bytes
    /// @param sums room for the results at `at`, `[2][L]`, and in the lines behind them for
    ///   [#DOT_BYTES]
    /// @param at offset in bytes
    void dot(
        WeightMatrix w, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at);
  }

  /// Takes weights apart to [Groups].
  @FunctionalInterface
  public interface Splitter {
    /// @param w the matrix
    /// @param row its row
    /// @param from the first weight of the row; a multiple of 256
    /// @param count how many, at most [Groups#MAX]; whole blocks
    /// @param g where they go
    /// @param at offset in bytes
    void split(WeightMatrix w, int row, int from, int count, MemorySegment g, long at);
  }

  /// Scratch of a decoder.
  public static final long DECODER_BYTES = Groups.BYTES;

  /// Scratch of a dot, behind its results: parts of two rows.
  static final long DOT_BYTES = 2 * Groups.BYTES;

  /// The same with a dot that reads the blocks itself.
  public BlockReader withDot(Dot own) {
    return new BlockReader(decoder, own);
  }

  /// A format without offsets. It and [#withOffsets] say the same twice, so that each has its own
  /// profile of what it calls.
  public static BlockReader scaled(Splitter splitter) {
    return new BlockReader(
        (w, row, from, count, s, to, room) -> {
          for (int i = 0; i < count; i += Groups.MAX) {
            int n = Math.min(Groups.MAX, count - i);
            splitter.split(w, row, from + i, n, s, room);
            Groups.decode(s, room, n, s, to + 4L * i);
          }
        },
        (w, row0, row1, x, xAt, sums, at) -> {
          long g0 = at + Groups.SUMS;
          long g1 = g0 + Groups.BYTES;
          Groups.clear(sums, at);
          for (int i = 0; i < w.inputs(); i += Groups.MAX) {
            int n = Math.min(Groups.MAX, w.inputs() - i);
            splitter.split(w, row0, i, n, sums, g0);
            splitter.split(w, row1, i, n, sums, g1);
            Groups.dot(sums, g0, g1, n, x, xAt + 4L * i, at);
          }
        });
  }

  /// A format with offsets.
  public static BlockReader withOffsets(Splitter splitter) {
    return new BlockReader(
        (w, row, from, count, s, to, room) -> {
          for (int i = 0; i < count; i += Groups.MAX) {
            int n = Math.min(Groups.MAX, count - i);
            splitter.split(w, row, from + i, n, s, room);
            Groups.decodeWithOffsets(s, room, n, s, to + 4L * i);
          }
        },
        (w, row0, row1, x, xAt, sums, at) -> {
          long g0 = at + Groups.SUMS;
          long g1 = g0 + Groups.BYTES;
          Groups.clear(sums, at);
          for (int i = 0; i < w.inputs(); i += Groups.MAX) {
            int n = Math.min(Groups.MAX, w.inputs() - i);
            splitter.split(w, row0, i, n, sums, g0);
            splitter.split(w, row1, i, n, sums, g1);
            Groups.dotWithOffsets(sums, g0, g1, n, x, xAt + 4L * i, at);
          }
        });
  }
}

package dev.quern.provider.vector;

import static java.util.Map.entry;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;

/// What the linear kernel knows of a weight format.
///
/// @param decoder for several rows of x
/// @param dot for one row of x
record LinearFormat(Decoder decoder, Dot dot) {
  /// Decodes weights to F32, exactly as SPEC.md's rule F1 says.
  @FunctionalInterface
  interface Decoder {
    /// @param w the matrix
    /// @param row its row
    /// @param from the first weight of the row; a multiple of 256
    /// @param count how many; whole blocks
    /// @param dst where they go
    /// @param to offset in bytes
    /// @param scratch room for [#DECODER_BYTES]
    /// @param at offset in bytes
    void decode(
        WeightMatrix w,
        int row,
        int from,
        int count,
        MemorySegment dst,
        long to,
        MemorySegment scratch,
        long at);
  }

  /// Multiplies two rows of weights by one row of x. Two, since they share the loads of x, and
  /// since each alone would wait for its own additions. Each result is what it would be beside any
  /// other row.
  ///
  /// Results are sums that are still to be added up ([Lanes#sum]).
  @FunctionalInterface
  interface Dot {
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
  private interface Splitter {
    /// @param w the matrix
    /// @param row its row
    /// @param from the first weight of the row; a multiple of 256
    /// @param count how many, at most [Groups#MAX]; whole blocks
    /// @param g where they go
    /// @param at offset in bytes
    void split(WeightMatrix w, int row, int from, int count, MemorySegment g, long at);
  }

  /// Scratch of a decoder.
  static final long DECODER_BYTES = Groups.BYTES;

  /// Scratch of a dot, behind its results: parts of two rows.
  static final long DOT_BYTES = 2 * Groups.BYTES;

  private static final LinearFormat INT4 = scaled(Blocks4::int4);

  private static final Map<BlockFormat, LinearFormat> STANDARD =
      Map.ofEntries(
          entry(BlockFormat.F32, new LinearFormat(Floats::decodeF32, Floats::dotF32)),
          entry(BlockFormat.F16, new LinearFormat(Floats::decodeF16, Floats::dotF16)),
          entry(BlockFormat.BF16, new LinearFormat(Floats::decodeBf16, Floats::dotBf16)),
          entry(BlockFormat.Q8_0, scaled(Blocks8::q8_0).withDot(Blocks8::dotQ8_0)),
          entry(BlockFormat.Q4_0, scaled(Blocks4::q4_0).withDot(Blocks4::dotQ4_0)),
          entry(BlockFormat.Q4_1, withOffsets(Blocks4::q4_1)),
          entry(BlockFormat.Q5_0, scaled(Blocks5::q5_0)),
          entry(BlockFormat.Q5_1, withOffsets(Blocks5::q5_1)),
          entry(BlockFormat.Q4_K, withOffsets(BlocksK::q4_K).withDot(BlocksK::dotQ4_K)),
          entry(BlockFormat.Q5_K, withOffsets(BlocksK::q5_K)),
          entry(BlockFormat.Q6_K, scaled(BlocksQ6K::q6_K)),
          entry(BlockFormat.INT4_B32, INT4),
          entry(BlockFormat.INT4_B64, INT4),
          entry(BlockFormat.INT4_B128, INT4),
          entry(BlockFormat.INT4_B256, INT4),
          entry(BlockFormat.INT8_C, new LinearFormat(Blocks8::decodeInt8, Blocks8::dotInt8)));

  static Optional<LinearFormat> of(BlockFormat format) {
    return Optional.ofNullable(STANDARD.get(format));
  }

  /// With a dot that reads the blocks itself, L bytes at a time: where there are vectors of L
  /// bytes.
  private LinearFormat withDot(Dot dot) {
    return Lanes.B.length() == Lanes.L ? new LinearFormat(decoder, dot) : this;
  }

  /// A format without offsets.
  private static LinearFormat scaled(Splitter splitter) {
    return new LinearFormat(
        (w, row, from, count, dst, to, g, at) -> {
          for (int i = 0; i < count; i += Groups.MAX) {
            int n = Math.min(Groups.MAX, count - i);
            splitter.split(w, row, from + i, n, g, at);
            Groups.decode(g, at, n, dst, to + 4L * i);
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
  private static LinearFormat withOffsets(Splitter splitter) {
    return new LinearFormat(
        (w, row, from, count, dst, to, g, at) -> {
          for (int i = 0; i < count; i += Groups.MAX) {
            int n = Math.min(Groups.MAX, count - i);
            splitter.split(w, row, from + i, n, g, at);
            Groups.decodeWithOffsets(g, at, n, dst, to + 4L * i);
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

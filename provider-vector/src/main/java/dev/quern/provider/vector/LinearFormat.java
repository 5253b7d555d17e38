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
/// @param dotDecodes whether `dot` decodes its rows to scratch first
record LinearFormat(Decoder decoder, Dot dot, boolean dotDecodes) {
  private LinearFormat(Decoder decoder, Dot dot) {
    this(decoder, dot, false);
  }

  /// Decodes weights to F32, exactly as SPEC.md's rule F1 says.
  @FunctionalInterface
  interface Decoder {
    /// @param w the matrix
    /// @param row its row
    /// @param from the first weight of the row; a multiple of 256
    /// @param count how many; whole blocks
    /// @param dst where they go
    /// @param at offset in bytes
    void decode(WeightMatrix w, int row, int from, int count, MemorySegment dst, long at);
  }

  /// Multiplies two rows of weights by one row of x. Two, since they share the loads of x, and
  /// since each alone would wait for its own additions. Each result is what it would be beside any
  /// other row.
  ///
  /// Results are sums that are still to be added up ([Lanes#sum]): with the additions in it, such a
  /// method is too large for C2 to inline all vector operations of.
  @FunctionalInterface
  interface Dot {
    /// @param w the matrix
    /// @param row0 one of its rows
    /// @param row1 another, or the same
    /// @param x `[inputs]` floats
    /// @param xAt their offset in bytes
    /// @param sums room for the results at `at`, `[2][L]`, and in the lines behind them for
    ///   [#dotScratchBytes]
    /// @param at offset in bytes
    void dot(
        WeightMatrix w, int row0, int row1, MemorySegment x, long xAt, MemorySegment sums, long at);
  }

  private static final Map<BlockFormat, LinearFormat> STANDARD =
      Map.ofEntries(
          entry(BlockFormat.F32, new LinearFormat(Floats::decodeF32, Floats::dotF32)),
          entry(BlockFormat.F16, new LinearFormat(Floats::decodeF16, Floats::dotF16)),
          entry(BlockFormat.BF16, new LinearFormat(Floats::decodeBf16, Floats::dotBf16)),
          entry(BlockFormat.Q8_0, new LinearFormat(Blocks8::decodeQ8_0, Blocks8::dotQ8_0)),
          entry(BlockFormat.Q4_0, new LinearFormat(Blocks4::decodeQ4_0, Blocks4::dotQ4_0)),
          entry(BlockFormat.Q4_1, decoded(Blocks4::decodeQ4_1)),
          entry(BlockFormat.Q5_0, decoded(Blocks5::decodeQ5_0)),
          entry(BlockFormat.Q5_1, decoded(Blocks5::decodeQ5_1)),
          entry(BlockFormat.Q4_K, new LinearFormat(BlocksK::decodeQ4_K, BlocksK::dotQ4_K)),
          entry(BlockFormat.Q5_K, decoded(BlocksK::decodeQ5_K)),
          entry(BlockFormat.Q6_K, new LinearFormat(BlocksQ6K::decode, BlocksQ6K::dot)),
          entry(BlockFormat.INT4_B32, new LinearFormat(Blocks4::decodeInt4, Blocks4::dotInt4)),
          entry(BlockFormat.INT4_B64, new LinearFormat(Blocks4::decodeInt4, Blocks4::dotInt4)),
          entry(BlockFormat.INT4_B128, new LinearFormat(Blocks4::decodeInt4, Blocks4::dotInt4)),
          entry(BlockFormat.INT4_B256, new LinearFormat(Blocks4::decodeInt4, Blocks4::dotInt4)),
          entry(BlockFormat.INT8_C, new LinearFormat(Blocks8::decodeInt8, Blocks8::dotInt8)));

  static Optional<LinearFormat> of(BlockFormat format) {
    return Optional.ofNullable(STANDARD.get(format));
  }

  /// Bytes of scratch that [Dot] wants behind its results: two decoded rows, or none.
  long dotScratchBytes(int inputs) {
    return dotDecodes ? 2L * rowBytes(inputs) : 0;
  }

  private static long rowBytes(int inputs) {
    return Split.align(4L * inputs);
  }

  /// A format whose rows are decoded to scratch also where x has one row: slower than reading the
  /// blocks in the loop, and no code of its own.
  private static LinearFormat decoded(Decoder decoder) {
    return new LinearFormat(
        decoder,
        (w, row0, row1, x, xAt, scratch, at) -> {
          long first = at + Split.align(2 * Lanes.BYTES);
          long second = first + rowBytes(w.inputs());
          decoder.decode(w, row0, 0, w.inputs(), scratch, first);
          decoder.decode(w, row1, 0, w.inputs(), scratch, second);
          Floats.dotF32(scratch, first, second, w.inputs(), x, xAt, scratch, at);
        },
        true);
  }
}

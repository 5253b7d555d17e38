package dev.quern.llama.quantize;

import static java.util.Map.entry;

import dev.quern.data.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/// Rounds a row of weights to a format: what [dev.quern.data.BlockCodec] decodes. Stateless and
/// thread-safe; the same row always gives the same bytes.
@FunctionalInterface
interface RowQuantizer {
  /// One for each format that [WeightScheme] names.
  Map<BlockFormat, RowQuantizer> TABLE =
      Map.ofEntries(
          entry(BlockFormat.F32, FloatQuantizers::f32),
          entry(BlockFormat.F16, FloatQuantizers::f16),
          entry(BlockFormat.BF16, FloatQuantizers::bf16),
          entry(BlockFormat.Q8_0, GgmlQuantizers::q8_0),
          entry(BlockFormat.Q4_0, GgmlQuantizers::q4_0),
          entry(BlockFormat.Q6_K, Q6KQuantizer::quantize),
          entry(BlockFormat.INT4_B32, new Int4Quantizer(32)),
          entry(BlockFormat.INT4_B64, new Int4Quantizer(64)),
          entry(BlockFormat.INT4_B128, new Int4Quantizer(128)),
          entry(BlockFormat.INT4_B256, new Int4Quantizer(256)),
          entry(BlockFormat.INT8_C, Int8Quantizer::quantize));

  /// @param x the row, finite; a whole number of blocks
  /// @param data the data plane
  /// @param dataAt where in it the row begins, in bytes
  /// @param scales the scale plane, [MemorySegment#NULL] where scales sit inside the blocks
  /// @param scalesAt where in it the row's scales begin, in bytes
  /// @throws IllegalArgumentException if the format cannot hold numbers so large
  void quantize(float[] x, MemorySegment data, long dataAt, MemorySegment scales, long scalesAt);
}

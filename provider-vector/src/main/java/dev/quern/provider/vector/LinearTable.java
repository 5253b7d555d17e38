package dev.quern.provider.vector;

import static dev.quern.data.BlockFormat.BF16;
import static dev.quern.data.BlockFormat.F16;
import static dev.quern.data.BlockFormat.F32;
import static dev.quern.data.BlockFormat.INT4_B128;
import static dev.quern.data.BlockFormat.INT4_B256;
import static dev.quern.data.BlockFormat.INT4_B32;
import static dev.quern.data.BlockFormat.INT4_B64;
import static dev.quern.data.BlockFormat.INT8_C;
import static dev.quern.data.BlockFormat.IQ4_NL;
import static dev.quern.data.BlockFormat.MXFP4;
import static dev.quern.data.BlockFormat.Q2_K;
import static dev.quern.data.BlockFormat.Q3_K;
import static dev.quern.data.BlockFormat.Q4_0;
import static dev.quern.data.BlockFormat.Q4_1;
import static dev.quern.data.BlockFormat.Q4_K;
import static dev.quern.data.BlockFormat.Q5_0;
import static dev.quern.data.BlockFormat.Q5_1;
import static dev.quern.data.BlockFormat.Q5_K;
import static dev.quern.data.BlockFormat.Q6_K;
import static dev.quern.data.BlockFormat.Q8_0;
import static dev.quern.provider.vector.direct.BlockReader.scaled;
import static dev.quern.provider.vector.direct.BlockReader.withOffsets;
import static dev.quern.provider.vector.packed.PanelKernels.f32;
import static dev.quern.provider.vector.packed.PanelKernels.int16;

import dev.quern.data.BlockFormat;
import dev.quern.provider.vector.direct.BlockReader;
import dev.quern.provider.vector.direct.Blocks4;
import dev.quern.provider.vector.direct.Blocks5;
import dev.quern.provider.vector.direct.Blocks8;
import dev.quern.provider.vector.direct.BlocksK;
import dev.quern.provider.vector.direct.BlocksK2;
import dev.quern.provider.vector.direct.BlocksMx;
import dev.quern.provider.vector.direct.BlocksQ6K;
import dev.quern.provider.vector.direct.Floats;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.provider.vector.packed.Int4Panels;
import dev.quern.provider.vector.packed.PanelKernels;
import dev.quern.provider.vector.packed.Q4KPanels;
import dev.quern.provider.vector.packed.Q6KPanels;
import dev.quern.provider.vector.packed.Q8Panels;
import java.util.List;
import java.util.Optional;

/// The kernels of linears by weight format and by lanes, the widest first: a row is taken where
/// vectors of floats have at least so many lanes. Packed weights are better wherever a user
/// tolerates their numerics; all weights can be read where they lie, in F32.
///
/// Several rows times packed 4-bit weights: with 16 lanes, two fused multiply-adds of floats a
/// cycle do as much as a multiplication and an addition of 32 shorts, and need no rounding and no
/// widening; with fewer there are not the registers, nor on most CPUs the units, for that. A dot
/// that reads blocks itself needs vectors of as many bytes as there are lanes, of which 8 are the
/// fewest.
final class LinearTable {
  /// @param format of the weights
  /// @param lanes the fewest that the kernels are for
  /// @param packed for weights that are packed at load
  /// @param direct for weights that are read where they lie
  record Row(BlockFormat format, int lanes, Optional<PanelKernels> packed, BlockReader direct) {}

  private static final BlockReader INT4 = scaled(Blocks4::int4);

  private static final List<Row> ROWS =
      List.of(
          row(F32, 4, new BlockReader(Floats::decodeF32, Floats::dotF32)),
          row(F16, 4, new BlockReader(Floats::decodeF16, Floats::dotF16)),
          row(BF16, 4, new BlockReader(Floats::decodeBf16, Floats::dotBf16)),
          row(Q8_0, 8, f32(new Q8Panels()), scaled(Blocks8::q8_0).withDot(Blocks8::dotQ8_0)),
          row(Q8_0, 4, f32(new Q8Panels()), scaled(Blocks8::q8_0)),
          row(Q4_0, 16, f32(new Int4Panels(Q4_0)), scaled(Blocks4::q4_0).withDot(Blocks4::dotQ4_0)),
          row(
              Q4_0,
              8,
              int16(new Int4Panels(Q4_0)),
              scaled(Blocks4::q4_0).withDot(Blocks4::dotQ4_0)),
          row(Q4_0, 4, int16(new Int4Panels(Q4_0)), scaled(Blocks4::q4_0)),
          row(Q4_1, 4, withOffsets(Blocks4::q4_1)),
          row(Q5_0, 4, scaled(Blocks5::q5_0)),
          row(Q5_1, 4, withOffsets(Blocks5::q5_1)),
          row(IQ4_NL, 8, scaled(Blocks4::iq4_nl).withDot(Blocks4::dotIq4_nl)),
          row(IQ4_NL, 4, scaled(Blocks4::iq4_nl)),
          row(MXFP4, 8, scaled(BlocksMx::mxfp4).withDot(BlocksMx::dotMxfp4)),
          row(MXFP4, 4, scaled(BlocksMx::mxfp4)),
          row(Q2_K, 4, withOffsets(BlocksK2::q2_K)),
          row(Q3_K, 4, scaled(BlocksK2::q3_K)),
          row(Q4_K, 8, f32(new Q4KPanels()), withOffsets(BlocksK::q4_K).withDot(BlocksK::dotQ4_K)),
          row(Q4_K, 4, f32(new Q4KPanels()), withOffsets(BlocksK::q4_K)),
          row(Q5_K, 4, withOffsets(BlocksK::q5_K)),
          row(Q6_K, 4, f32(new Q6KPanels()), scaled(BlocksQ6K::q6_K)),
          row(INT4_B32, 16, f32(new Int4Panels(INT4_B32)), INT4),
          row(INT4_B32, 4, int16(new Int4Panels(INT4_B32)), INT4),
          row(INT4_B64, 16, f32(new Int4Panels(INT4_B64)), INT4),
          row(INT4_B64, 4, int16(new Int4Panels(INT4_B64)), INT4),
          row(INT4_B128, 16, f32(new Int4Panels(INT4_B128)), INT4),
          row(INT4_B128, 4, int16(new Int4Panels(INT4_B128)), INT4),
          row(INT4_B256, 16, f32(new Int4Panels(INT4_B256)), INT4),
          row(INT4_B256, 4, int16(new Int4Panels(INT4_B256)), INT4),
          row(INT8_C, 4, new BlockReader(Blocks8::decodeInt8, Blocks8::dotInt8)));

  private LinearTable() {}

  /// The row for a weight format and this JVM's vectors.
  static Optional<Row> of(BlockFormat format) {
    return ROWS.stream().filter(r -> r.format.equals(format) && r.lanes <= Lanes.L).findFirst();
  }

  private static Row row(BlockFormat format, int lanes, PanelKernels packed, BlockReader direct) {
    return new Row(format, lanes, Optional.of(packed), direct);
  }

  private static Row row(BlockFormat format, int lanes, BlockReader direct) {
    return new Row(format, lanes, Optional.empty(), direct);
  }
}

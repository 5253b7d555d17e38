package dev.quern.provider.kleidi;

import java.util.List;
import java.util.Optional;

/// How a library's functions pack mr rows of x as a tile. With L values of a row at a time, taken
/// from the rows in turn:
///
/// ```
/// PER_ROW     q i8[inputs rounded up to 32][mr] | -z i32[mr] | s f32[mr]               L = kr / sr
/// BLOCKS      for each block of 32: scale f16[mr] | q i8[32][mr]                       L = kr / sr
/// BLOCKS_SME  for each block of 32: q i8[32][mr] | for each block of 32: scale f16[mr]      L = 4
/// BF16        bf16[inputs rounded up to 4][mr]                                              L = 4
/// F32_SME     f32[inputs][mr]                                                               L = 1
/// NONE        x as it is
/// ```
enum RowPacking {
  /// Zero point and scale for each row.
  PER_ROW("lhs_quant_pack_qai8dxp_f32", "lhs_quant_pack_qai8dxp_f32", Scales.ROW, false),

  /// A scale for each block. `qsi8d32p4x8sb_f32_neon` would be faster for one row of the table, but
  /// rounds ties to even and takes rows of x to be dense.
  BLOCKS("lhs_quant_pack_qsi8d32p_f32", "lhs_quant_pack_qsi8d32p_f32", Scales.BLOCK_F16, false),

  /// A scale for each block, for SME kernels. It takes rows of x to be dense, whatever their
  /// stride.
  BLOCKS_SME(
      "lhs_quant_pack_qsi8d32p_f32_neon",
      "lhs_quant_pack_qsi8d32p_f32_neon",
      Scales.BLOCK_F16,
      true),

  /// Rounded to BF16.
  BF16("lhs_quant_pack_bf16p1x4_f32_neon", "lhs_quant_pack_bf16p8x4_f32_neon", Scales.NONE, false),

  /// F32, in another order for more than one row.
  F32_SME("", "lhs_pack_f32p2vlx1_f32_sme", Scales.NONE, false),

  /// F32, where the caller has it.
  NONE("", "", Scales.NONE, false);

  private enum Scales {
    NONE,
    ROW,
    BLOCK_F16
  }

  /// Inputs that share a scale.
  static final int BLOCK = 32;

  private final Optional<String> one;
  private final Optional<String> several;
  private final Scales scales;
  private final boolean dense;

  RowPacking(String one, String several, Scales scales, boolean dense) {
    this.one = Optional.of(one).filter(n -> !n.isEmpty());
    this.several = Optional.of(several).filter(n -> !n.isEmpty());
    this.scales = scales;
    this.dense = dense;
  }

  /// The part of the function's name after `kai_run_` that packs for kernels of one row; empty
  /// where these take x as it is.
  Optional<String> one() {
    return one;
  }

  /// The same for kernels of several rows.
  Optional<String> several() {
    return several;
  }

  /// Those that there are.
  List<String> packers() {
    return List.of(one, several).stream().flatMap(Optional::stream).distinct().toList();
  }

  /// Whether there is a scale for each block. It is F16.
  boolean blocks() {
    return scales == Scales.BLOCK_F16;
  }

  /// Whether rows of x must follow each other without a gap.
  boolean dense() {
    return dense;
  }

  /// Offset in a tile of the scale of a row's block.
  ///
  /// @param slot the row's number in the tile
  long scaleAt(long slot, long block, long mr, long inputs) {
    return switch (this) {
      case BLOCKS -> block * mr * (Short.BYTES + BLOCK) + slot * Short.BYTES;
      case BLOCKS_SME -> inputs * mr + (block * mr + slot) * Short.BYTES;
      default -> throw new IllegalStateException(this + " has no scale of a block");
    };
  }
}

package dev.quern.provider.kleidi;

/// How a library's function packs mr rows of x as a tile. With L values of a row at a time, taken
/// from the rows in turn:
///
/// ```
/// PER_ROW     q i8[inputs rounded up to 32][mr] | -z i32[mr] | s f32[mr]               L = kr / sr
/// BLOCKS      for each block of 32: scale f16[mr] | q i8[32][mr]                       L = kr / sr
/// BLOCKS_SME  for each block of 32: q i8[32][mr] | for each block of 32: scale f16[mr]      L = 4
/// ```
enum RowPacking {
  /// Zero point and scale for each row.
  PER_ROW("qai8dxp_f32", false, false),

  /// A scale for each block. `qsi8d32p4x8sb_f32_neon` would be faster for one row of the table, but
  /// rounds ties to even and takes rows of x to be dense.
  BLOCKS("qsi8d32p_f32", true, false),

  /// A scale for each block, for SME kernels. It takes rows of x to be dense, whatever their
  /// stride.
  BLOCKS_SME("qsi8d32p_f32_neon", true, true);

  /// Inputs that share a scale.
  static final int BLOCK = 32;

  private final String packer;
  private final boolean blocks;
  private final boolean dense;

  RowPacking(String packer, boolean blocks, boolean dense) {
    this.packer = packer;
    this.blocks = blocks;
    this.dense = dense;
  }

  /// The part of the function's name after `kai_run_lhs_quant_pack_`.
  String packer() {
    return packer;
  }

  /// Whether there is a scale for each block.
  boolean blocks() {
    return blocks;
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
      case PER_ROW -> throw new IllegalStateException("a row has one scale, and it is F32");
    };
  }
}

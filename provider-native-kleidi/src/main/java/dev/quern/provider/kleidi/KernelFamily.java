package dev.quern.provider.kleidi;

import dev.quern.data.BlockFormat;
import dev.quern.op.Numerics;
import dev.quern.provider.kleidi.KleidiAi.RhsPacker;
import java.util.List;
import java.util.Optional;

/// Kernels that compute the same thing from the same operands, and what the rows of a family share.
enum KernelFamily {
  /// Int4 weights, a BF16 scale for each block; the scheme of Llama 3.2 on ExecuTorch.
  INT4_BLOCKS(
      List.of(
          BlockFormat.INT4_B32, BlockFormat.INT4_B64, BlockFormat.INT4_B128, BlockFormat.INT4_B256),
      Numerics.INT8_ASYM_ROW,
      Integer.MAX_VALUE,
      true),

  /// ggml's Q4_0. The block length of every kernel since the first is 32.
  Q4(List.of(BlockFormat.Q4_0), Numerics.INT8_SYM_32_F16, Integer.MAX_VALUE, true),

  /// Int8 weights, an F32 scale for each output. A sum of more products of (q - z) and w, at most
  /// 255 * 128 each, may leave int32.
  INT8_CHANNELS(List.of(BlockFormat.INT8_C), Numerics.INT8_ASYM_ROW, 1 << 16, false),

  /// F32, summed product by product in order, fused: on all CPUs alike.
  FLOATS(List.of(BlockFormat.F32), Numerics.EXACT_F32, Integer.MAX_VALUE, false),

  /// BF16 weights, which lose nothing, and x rounded to BF16.
  ROUNDED_FLOATS(List.of(BlockFormat.BF16), Numerics.BF16, Integer.MAX_VALUE, false);

  private final List<BlockFormat> formats;
  private final Numerics numerics;
  private final int maxInputs;
  private final boolean blocks;

  /// @param formats the weights that it takes
  /// @param numerics how it rounds x
  /// @param maxInputs the longest row
  /// @param blocks whether its matrix multiplications take a block length
  KernelFamily(List<BlockFormat> formats, Numerics numerics, int maxInputs, boolean blocks) {
    this.formats = formats;
    this.numerics = numerics;
    this.maxInputs = maxInputs;
    this.blocks = blocks;
  }

  /// The family for a weight format, if there is one.
  static Optional<KernelFamily> of(BlockFormat format) {
    for (KernelFamily family : values()) {
      if (family.formats.contains(format)) {
        return Optional.of(family);
      }
    }
    return Optional.empty();
  }

  List<BlockFormat> formats() {
    return formats;
  }

  Numerics numerics() {
    return numerics;
  }

  /// Whether 1.8 has it for every CPU with dot products, and all later ones. A library without it
  /// is not taken for one.
  boolean always() {
    return this != ROUNDED_FLOATS;
  }

  int maxInputs() {
    return maxInputs;
  }

  boolean blocks() {
    return blocks;
  }

  /// Opens a packer of its weights.
  RhsPacker rhsPacker(RhsPackers packers, String name) {
    return switch (this) {
      case INT4_BLOCKS -> packers.int4Blocks(name);
      case Q4 -> packers.q4(name);
      case INT8_CHANNELS -> packers.int8Channels(name);
      case FLOATS, ROUNDED_FLOATS -> packers.floats(name);
    };
  }
}

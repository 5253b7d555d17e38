package dev.quern.provider.vector;

import dev.quern.data.BlockFormat;
import dev.quern.data.WeightMatrix;
import dev.quern.op.Numerics;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;

/// The inside of a panel of packed weights ([WeightPanels]) of one weight format, and the two
/// things that are done with it: its product with one row of x, and its weights as F32.
interface PanelFormat {
  /// Weights that share a scale of x; a panel has a whole number of them.
  int GROUP = 32;

  /// The layouts by weight format.
  Map<BlockFormat, PanelFormat> STANDARD =
      Map.of(
          BlockFormat.Q4_0, new Int4Panels(BlockFormat.Q4_0),
          BlockFormat.INT4_B32, new Int4Panels(BlockFormat.INT4_B32),
          BlockFormat.INT4_B64, new Int4Panels(BlockFormat.INT4_B64),
          BlockFormat.INT4_B128, new Int4Panels(BlockFormat.INT4_B128),
          BlockFormat.INT4_B256, new Int4Panels(BlockFormat.INT4_B256),
          BlockFormat.Q4_K, new Q4KPanels(),
          BlockFormat.Q6_K, new Q6KPanels(),
          BlockFormat.Q8_0, new Q8Panels());

  /// The layout for a weight format, if there is one.
  static Optional<PanelFormat> of(BlockFormat format) {
    return Optional.ofNullable(STANDARD.get(format));
  }

  /// Name of the variant for one row of x.
  String dotName();

  /// How [#dot] takes x: EXACT_F32 as it is, INT8_SYM_32 as an [Int8Row].
  Numerics dotNumerics();

  /// What is subtracted from a stored value ([Int8Row]); nothing where x stays F32.
  int offset();

  /// Bytes of a panel.
  long panelBytes(int inputs);

  /// Packs one output.
  ///
  /// @param m the matrix that it is a row of
  /// @param row which
  /// @param data packed weights
  /// @param panelAt offset of the panel
  /// @param column the output's number in the panel
  void pack(WeightMatrix m, int row, MemorySegment data, long panelAt, int column);

  /// Bytes of scratch for [#dot].
  long dotScratchBytes(int inputs);

  /// Two panels times one row of x. As two streams they come from memory faster than one.
  ///
  /// @param w packed weights, the panels at `w0` and `w1` (which may be the same)
  /// @param x the row, in the form of [#dotNumerics], at `xAt`
  /// @param scratch at `at`
  /// @param sums where the sums go, `[2][2 * L]` at `sumsAt`
  void dot(
      MemorySegment w,
      long w0,
      long w1,
      int inputs,
      MemorySegment x,
      long xAt,
      MemorySegment scratch,
      long at,
      MemorySegment sums,
      long sumsAt);

  /// Bytes of scratch for [#decode] of `n` weights an output.
  long decodeScratchBytes(int n);

  /// Decodes weights to F32: `dst[weight][2 * L]`.
  ///
  /// @param w packed weights, the panel at `panelAt`
  /// @param from the first weight of each output; a multiple of 256
  /// @param n how many; a multiple of 32
  /// @param scratch at `at`
  /// @param to offset of the result in scratch
  void decode(
      MemorySegment w,
      long panelAt,
      int inputs,
      int from,
      int n,
      MemorySegment scratch,
      long at,
      long to);
}

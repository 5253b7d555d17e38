package dev.quern.provider.vector.packed;

import dev.quern.data.WeightMatrix;
import dev.quern.op.Numerics;
import java.lang.foreign.MemorySegment;

/// The inside of a panel of packed weights ([Panels]) of one weight format, and the two things that
/// are done with it: its product with one row of x, and its weights as F32.
public interface PanelFormat {
  /// Weights that share a scale of x; a panel has a whole number of them.
  int GROUP = 32;

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
  /// @param first number of the first panel; the second is the next ([Panels#next])
  /// @param x begins with the row, in the form of [#dotNumerics]
  /// @param s where the sums go, `[2][2 * L]` at `sums`, with scratch behind them
  void dot(Panels panels, int first, MemorySegment x, MemorySegment s, long sums);

  /// Bytes of scratch for [#decode] of `n` weights an output.
  long decodeScratchBytes(int n);

  /// Decodes weights to F32: `dst[weight][2 * L]`.
  ///
  /// @param from the first weight of each output; a multiple of 256
  /// @param n how many; a multiple of 32
  /// @param s where they go, at `to`
  /// @param room offset in s of [#decodeScratchBytes]
  void decode(Panels panels, int panel, int from, int n, MemorySegment s, long room, long to);
}

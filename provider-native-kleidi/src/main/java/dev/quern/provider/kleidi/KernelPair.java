package dev.quern.provider.kleidi;

import dev.quern.provider.kleidi.KleidiAi.MicroKernel;
import dev.quern.provider.kleidi.KleidiAi.RhsPacker;
import dev.quern.provider.kleidi.KleidiAi.Tiling;
import dev.quern.spi.Variant;
import java.util.List;
import java.util.Locale;

/// A [KernelRow] of a loaded library.
///
/// @param row what it is
/// @param gemv for one row of x
/// @param gemm for more; it may be the same
/// @param rhs packer of weights
/// @param maxThreads how many threads may run it at once
record KernelPair(
    KernelRow row, MicroKernel gemv, MicroKernel gemm, RhsPacker rhs, int maxThreads) {

  /// @throws IllegalArgumentException if the kernels don't share a layout of packed weights
  KernelPair {
    Tiling one = gemv.tiling();
    Tiling several = gemm.tiling();
    if (one.nr() != several.nr() || one.kr() != several.kr() || one.sr() != several.sr()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "KleidiAI kernels %s (%s) and %s (%s) don't share packed weights",
              gemv.name(),
              one,
              gemm.name(),
              several));
    }
  }

  /// How weights are packed, for both kernels.
  Tiling tiling() {
    return gemm.tiling();
  }

  /// The variants of an offer.
  List<Variant> variants() {
    Variant one = new Variant(gemv.name(), 1, row.family().numerics());
    Variant several = new Variant(gemm.name(), 2, row.family().numerics());
    return one.name().equals(several.name()) ? List.of(one) : List.of(one, several);
  }
}

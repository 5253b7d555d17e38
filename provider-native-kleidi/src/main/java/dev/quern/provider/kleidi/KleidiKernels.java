package dev.quern.provider.kleidi;

import dev.quern.data.BlockFormat;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.spi.BiasedLinear;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The provider's offers on one platform. The library stays as long as a kernel of it is reachable,
/// so closing only lets go of it.
final class KleidiKernels implements KernelSet {
  /// What the library has for a format, and why it is not enough; for other formats it has nothing.
  private static final Map<BlockFormat, String> WITHOUT =
      Map.of(
          BlockFormat.F16,
          "KleidiAI's kernels for F16 weights take x in F16 and give y in F16; as BF16 weights would lose three bits, and as F32 take twice the memory",
          BlockFormat.Q8_0,
          "no KleidiAI kernel for Q8_0 keeps a scale for each block: requantized to one for each output it would lose accuracy",
          BlockFormat.Q4_1,
          "KleidiAI's kernels for nibbles with offsets take 8 from each nibble, which the offset gives back: the parts may cancel, and their rounding leaves the bounds",
          BlockFormat.Q4_K,
          "KleidiAI's kernels for Q4_K (SME2 alone) round x to F16 where it has several rows, and take 8 from each nibble, which the offset gives back",
          BlockFormat.IQ4_NL,
          "KleidiAI's kernels for nibbles with a table of values (1.32, SME2 alone) have another interface, which this provider does not call",
          BlockFormat.MXFP4,
          "KleidiAI's kernels for nibbles with a table of values keep scales as F16, which does not hold MXFP4's");

  /// Null once this is closed.
  private volatile LoadedKernels loaded;

  KleidiKernels(LoadedKernels loaded) {
    this.loaded = loaded;
  }

  @Override
  public Offer<LinearPacker> linear(LinearSpec spec) {
    return BiasedLinear.offer(spec, this::withoutBias);
  }

  private Offer<LinearPacker> withoutBias(LinearSpec spec) {
    LoadedKernels kernels = loaded;
    if (kernels == null) {
      return Offer.declined("it is closed");
    }
    Optional<KernelFamily> found = KernelFamily.of(spec.weights());
    if (found.isEmpty()) {
      return Offer.declined(
          WITHOUT.getOrDefault(
              spec.weights(), "no KleidiAI kernel for weight format " + spec.weights()));
    }
    KernelFamily family = found.get();
    if (!spec.tolerated().contains(family.numerics())) {
      return Offer.declined(
          String.format(
              Locale.ROOT,
              "%s runs with %s alone, and the spec tolerates %s",
              spec.weights(),
              family.numerics(),
              spec.tolerated()));
    }
    if (spec.inputs() > family.maxInputs()) {
      return Offer.declined(
          String.format(
              Locale.ROOT,
              "inputs=%d, expected at most %d: the kernel's int32 sums could overflow",
              spec.inputs(),
              family.maxInputs()));
    }
    Optional<KernelPair> pair = kernels.pair(family);
    if (pair.isEmpty()) {
      return Offer.declined("no kernel for " + spec.weights() + kernels.obstacles(family));
    }
    return new Offer.Accepted<>(
        (stacked, packed, workers) ->
            new KleidiLinear(
                spec, pair.get(), PackedWeights.pack(pair.get(), spec, stacked, packed, workers)),
        pair.get().variants());
  }

  @Override
  public void close() {
    loaded = null;
  }
}

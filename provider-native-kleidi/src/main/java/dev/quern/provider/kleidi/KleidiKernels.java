package dev.quern.provider.kleidi;

import dev.quern.data.BlockFormat;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.spi.BiasedLinear;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import java.util.Locale;
import java.util.Optional;

/// The provider's offers on one platform. The library stays as long as a kernel of it is reachable,
/// so closing only lets go of it.
final class KleidiKernels implements KernelSet {
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
          spec.weights().equals(BlockFormat.Q8_0)
              ? "no KleidiAI kernel for Q8_0 keeps a scale for each block: requantized to one for each output it would lose accuracy"
              : "no KleidiAI kernel for weight format " + spec.weights());
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

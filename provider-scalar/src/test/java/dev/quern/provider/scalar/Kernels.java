package dev.quern.provider.scalar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.quern.data.WeightMatrix;
import dev.quern.data.Workers;
import dev.quern.op.LinearKernel;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Offer;
import java.util.List;

/// Takes the provider at its word.
final class Kernels {
  private Kernels() {}

  /// The kernel of an offer that must be accepted, with one variant of the given numerics.
  static <K> K accepted(Offer<K> offer, Numerics numerics) {
    return switch (offer) {
      case Offer.Accepted<K> accepted -> {
        assertEquals(1, accepted.variants().size());
        assertEquals(numerics, accepted.variants().getFirst().numerics());
        yield accepted.kernel();
      }
      case Offer.Declined<K> declined -> fail(declined.reason());
    };
  }

  /// A linear kernel for a spec that tolerates one numerics.
  static LinearKernel linear(LinearSpec spec, List<WeightMatrix> stacked) {
    LinearPacker packer =
        accepted(new ScalarProvider().linear(spec), spec.tolerated().iterator().next());
    return packer.pack(
        stacked, (bytes, alignment) -> fail("it packs nothing"), Workers.sequential());
  }
}

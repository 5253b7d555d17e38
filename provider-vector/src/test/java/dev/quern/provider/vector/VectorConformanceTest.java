package dev.quern.provider.vector;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.AttentionConformance;
import dev.quern.conformance.ProviderConformance;
import dev.quern.conformance.RmsNormConformance;
import dev.quern.conformance.RopeConformance;
import dev.quern.conformance.SwiGluConformance;
import dev.quern.provider.vector.lanes.Lanes;
import dev.quern.spi.KernelProvider;
import java.util.Locale;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/// The suite on the vector provider, at the width that the build gives this JVM; linear operators,
/// which take as long as all others, in [VectorLinearConformanceTest].
class VectorConformanceTest {
  /// The build's executions differ in nothing but this, and must not all run alike.
  @Test
  void theWidthIsTheOneThatTheBuildAsksFor() {
    int bits = Integer.getInteger("vector.bits", Integer.MAX_VALUE);
    assertTrue(
        32 * Lanes.L <= bits, String.format(Locale.ROOT, "vectors of %d bits", 32 * Lanes.L));
  }

  @Nested
  class Provider extends ProviderConformance {
    @Override
    protected KernelProvider provider() {
      return new VectorProvider();
    }
  }

  @Nested
  class Attention extends AttentionConformance {
    @Override
    protected KernelProvider provider() {
      return new VectorProvider();
    }
  }

  @Nested
  class RmsNorm extends RmsNormConformance {
    @Override
    protected KernelProvider provider() {
      return new VectorProvider();
    }
  }

  @Nested
  class Rope extends RopeConformance {
    @Override
    protected KernelProvider provider() {
      return new VectorProvider();
    }
  }

  @Nested
  class SwiGlu extends SwiGluConformance {
    @Override
    protected KernelProvider provider() {
      return new VectorProvider();
    }
  }
}

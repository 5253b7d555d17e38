package dev.quern.provider.vector;

import dev.quern.conformance.AttentionConformance;
import dev.quern.conformance.ProviderConformance;
import dev.quern.conformance.RmsNormConformance;
import dev.quern.conformance.RopeConformance;
import dev.quern.conformance.SwiGluConformance;
import dev.quern.spi.KernelProvider;
import org.junit.jupiter.api.Nested;

/// The suite on the vector provider, at the width that the build gives this JVM; linear operators,
/// which take as long as all others, in [VectorLinearConformanceTest].
class VectorConformanceTest implements OneWidth {
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

package dev.quern.conformance;

import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.KernelProvider;
import org.junit.jupiter.api.Nested;

/// The suite on the scalar provider: it keeps every rule.
class ScalarConformanceTest {
  @Nested
  class Provider extends ProviderConformance {
    @Override
    protected KernelProvider provider() {
      return new ScalarProvider();
    }
  }

  @Nested
  class Linear extends LinearConformance {
    @Override
    protected KernelProvider provider() {
      return new ScalarProvider();
    }
  }

  @Nested
  class Attention extends AttentionConformance {
    @Override
    protected KernelProvider provider() {
      return new ScalarProvider();
    }
  }

  @Nested
  class RmsNorm extends RmsNormConformance {
    @Override
    protected KernelProvider provider() {
      return new ScalarProvider();
    }
  }

  @Nested
  class Rope extends RopeConformance {
    @Override
    protected KernelProvider provider() {
      return new ScalarProvider();
    }
  }

  @Nested
  class SwiGlu extends SwiGluConformance {
    @Override
    protected KernelProvider provider() {
      return new ScalarProvider();
    }
  }
}

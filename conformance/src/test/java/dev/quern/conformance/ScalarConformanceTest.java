package dev.quern.conformance;

import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.KernelProvider;
import org.junit.jupiter.api.Nested;

/// The suite on the scalar provider: it keeps every rule.
class ScalarConformanceTest {
  @Nested
  class Linear extends LinearConformance {
    @Override
    protected KernelProvider provider() {
      return new ScalarProvider();
    }
  }
}

package com.example.quern;

import dev.quern.conformance.LinearConformance;
import dev.quern.conformance.ProviderConformance;
import dev.quern.conformance.RmsNormConformance;
import dev.quern.conformance.SwiGluConformance;
import dev.quern.spi.KernelProvider;
import org.junit.jupiter.api.Nested;

class ExampleConformanceTest {
  @Nested
  class Provider extends ProviderConformance {
    @Override
    protected KernelProvider provider() {
      return new ExampleProvider();
    }
  }

  @Nested
  class SwiGlu extends SwiGluConformance {
    @Override
    protected KernelProvider provider() {
      return new ExampleProvider();
    }
  }

  @Nested
  class RmsNorm extends RmsNormConformance {
    @Override
    protected KernelProvider provider() {
      return new ExampleProvider();
    }
  }

  @Nested
  class Linear extends LinearConformance {
    @Override
    protected KernelProvider provider() {
      return new ExampleProvider();
    }
  }
}

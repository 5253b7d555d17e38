package dev.quern.provider.kleidi;

import dev.quern.conformance.LinearConformance;
import dev.quern.conformance.ProviderConformance;
import dev.quern.spi.KernelProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/// The suite on the KleidiAI provider, on the kernels of this CPU.
@Tag(ArmHost.TAG)
@Tag("arm-suite")
class KleidiConformanceTest {
  @BeforeAll
  static void needsArm() {
    ArmHost.needed("conformance of the KleidiAI provider");
  }

  @Nested
  class Provider extends ProviderConformance {
    @Override
    protected KernelProvider provider() {
      return new KleidiProvider();
    }
  }

  @Nested
  class Linear extends LinearConformance {
    @Override
    protected KernelProvider provider() {
      return new KleidiProvider();
    }
  }
}

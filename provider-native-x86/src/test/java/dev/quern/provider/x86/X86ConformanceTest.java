package dev.quern.provider.x86;

import dev.quern.conformance.ProviderConformance;
import dev.quern.spi.KernelProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/// The suite's rules about the provider itself; those of its operators run on each row of the table
/// of CPUs by themselves, in the packages below (`LinearSuiteTest` and the like).
class X86ConformanceTest {
  @BeforeAll
  static void needsLinux() throws Exception {
    Host.features();
  }

  @Nested
  class Provider extends ProviderConformance {
    @Override
    protected KernelProvider provider() {
      return new X86Provider();
    }
  }
}

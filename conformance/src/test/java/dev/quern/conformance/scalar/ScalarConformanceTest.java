package dev.quern.conformance.scalar;

import dev.quern.conformance.AttentionConformance;
import dev.quern.conformance.LinearConformance;
import dev.quern.conformance.ProviderConformance;
import dev.quern.conformance.RmsNormConformance;
import dev.quern.conformance.RopeConformance;
import dev.quern.conformance.Settings;
import dev.quern.conformance.SwiGluConformance;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.KernelProvider;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/// The suite on the scalar provider, as its author would write it, in another package: it keeps
/// every rule.
class ScalarConformanceTest {
  @BeforeAll
  static void aPlainBuildSaysWhatItLeavesOut() {
    int tries = Settings.fromSystemProperties().tries();
    if (tries < Settings.DEFAULT_TRIES) {
      System.out.printf(
          Locale.ROOT,
          "[quern] the suite tries %d generated cases for each check of scalar and vector; as many as by default: ./build verify -Dsuite.tries=%d%n",
          tries,
          Settings.DEFAULT_TRIES);
    }
  }

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

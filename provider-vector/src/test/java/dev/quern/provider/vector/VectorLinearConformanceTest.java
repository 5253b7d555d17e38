package dev.quern.provider.vector;

import dev.quern.conformance.LinearConformance;
import dev.quern.spi.KernelProvider;

/// The suite on the vector provider's linear operators, as [VectorConformanceTest]: a class of its
/// own has a process of its own.
class VectorLinearConformanceTest extends LinearConformance implements OneWidth {
  @Override
  protected KernelProvider provider() {
    return new VectorProvider();
  }
}

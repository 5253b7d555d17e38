package dev.quern.conformance.judge;

import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;

/// The provider under test, as rules see it.
public interface Candidate {
  /// The provider.
  KernelProvider provider();

  /// Where it runs.
  Platform platform();

  /// What its author declares.
  Declaration support();
}

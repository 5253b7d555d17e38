package dev.quern.conformance.judge;

import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Platform;

/// The provider under test, as rules see it.
///
/// @since 0.1
/// @stability api
public interface Candidate {
  /// The provider.
  KernelProvider provider();

  /// Where it runs.
  Platform platform();

  /// What its author declares.
  Declaration support();

  /// Whether it runs on the platform: what it said when it was first asked. Null where the provider
  /// returned that, which rule P3 is about.
  Availability availability();

  /// What it offers there; a set that declines all where it can't run.
  default KernelSet kernels() {
    return availability() instanceof Availability.Ready ready
        ? ready.kernels()
        : new KernelSet() {};
  }
}

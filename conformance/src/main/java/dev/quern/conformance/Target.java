package dev.quern.conformance;

import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;

/// What is tested.
///
/// @param provider the provider
/// @param platform where it runs
public record Target(KernelProvider provider, Platform platform) {
  /// A provider on this machine.
  public static Target here(KernelProvider provider) {
    return new Target(provider, HostPlatform.current());
  }
}

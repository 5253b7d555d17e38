package dev.quern.conformance;

import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;

/// What is tested.
///
/// @param provider the provider
/// @param platform where it runs
/// @param support what its author declares
public record Target(KernelProvider provider, Platform platform, Support support) {
  /// A provider on this machine, with the declaration in its JAR.
  public static Target here(KernelProvider provider) {
    return new Target(provider, HostPlatform.current(), Support.of(provider));
  }
}

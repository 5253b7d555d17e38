package dev.quern.conformance;

import dev.quern.KernelOptions;
import dev.quern.conformance.judge.Candidate;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;

/// What is tested.
///
/// @param provider the provider
/// @param platform where it runs
/// @param support what its author declares
public record Target(KernelProvider provider, Platform platform, Support support)
    implements Candidate {
  /// The provider's name, for reports; its class where it fails to say one, which rule P1 is about.
  String name() {
    try {
      return String.valueOf(provider.name());
    } catch (Throwable e) {
      return provider.getClass().getName();
    }
  }

  /// A provider on this machine, with the declaration in its JAR.
  public static Target here(KernelProvider provider) {
    return new Target(
        provider, KernelOptions.fromSystem().providersPlatform(), Support.of(provider));
  }
}

package dev.quern.conformance.report;

import dev.quern.spi.KernelProvider;
import java.lang.module.ModuleDescriptor;
import java.util.Optional;

/// Where a provider comes from.
///
/// @param name its name
/// @param version its module's version, else its JAR's `Implementation-Version`, else `unknown`
/// @param className its class
/// @param location its JAR or folder, for people
/// @since 0.1
/// @stability api
public record Origin(String name, String version, String className, String location) {
  /// @param location its JAR or folder, for people
  public static Origin of(KernelProvider provider, String location) {
    Class<?> type = provider.getClass();
    ModuleDescriptor module = type.getModule().getDescriptor(); // null on the class path
    return new Origin(
        provider.name(),
        Optional.ofNullable(module)
            .flatMap(ModuleDescriptor::rawVersion)
            .or(() -> Optional.ofNullable(type.getPackage().getImplementationVersion()))
            .orElse("unknown"),
        type.getName(),
        location);
  }
}

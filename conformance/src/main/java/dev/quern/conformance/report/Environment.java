package dev.quern.conformance.report;

import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/// Where and when a report was made.
///
/// @param specVersion SPEC.md's, as people write it
/// @param platform the platform as the providers were shown it
/// @param jdk the Java runtime: `OpenJDK Runtime Environment 25.0.1+8`
/// @param vm the virtual machine and its mode: `OpenJDK 64-Bit Server VM (mixed mode, sharing)`
/// @param processors processors that the JVM may use
/// @param when the start of the run
/// @since 0.1
/// @stability api
public record Environment(
    String specVersion, Platform platform, String jdk, String vm, int processors, Instant when) {

  /// This JVM, now.
  public static Environment current(Platform platform) {
    return new Environment(
        Spec.text(Spec.VERSION),
        platform,
        property("java.runtime.name") + " " + property("java.runtime.version"),
        String.format(Locale.ROOT, "%s (%s)", property("java.vm.name"), property("java.vm.info")),
        Runtime.getRuntime().availableProcessors(),
        Instant.now().truncatedTo(ChronoUnit.SECONDS));
  }

  private static String property(String name) {
    return System.getProperty(name, "unknown");
  }
}

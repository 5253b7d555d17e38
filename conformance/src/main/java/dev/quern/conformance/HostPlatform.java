package dev.quern.conformance;

import dev.quern.spi.Jit;
import dev.quern.spi.Platform;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// This machine, as a provider is told about it.
final class HostPlatform {
  private HostPlatform() {}

  static Platform current() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch");
    return new Platform(
        os.startsWith("mac") ? "macos" : os.startsWith("windows") ? "windows" : os,
        arch.equals("amd64") ? "x86_64" : arch,
        cpuFeatures(),
        jit(System.getProperty("java.vm.info", "")),
        ModuleLayer.boot().modules().stream().map(Module::getName).collect(Collectors.toSet()),
        System.getProperties().stringPropertyNames().stream()
            .filter(p -> p.startsWith("quern."))
            .collect(Collectors.toMap(p -> p, System::getProperty)));
  }

  /// What the tiered JVM says: `mixed mode, sharing`, with C1 alone `mixed mode, emulated-client`.
  static Jit jit(String vmInfo) {
    return vmInfo.contains("interpreted")
        ? Jit.INTERPRETER
        : vmInfo.contains("emulated-client") ? Jit.C1 : Jit.C2;
  }

  /// From Linux's `/proc/cpuinfo`; empty elsewhere.
  private static Set<String> cpuFeatures() {
    Path cpuinfo = Path.of("/proc/cpuinfo");
    if (!Files.isReadable(cpuinfo)) {
      return Set.of();
    }
    try (Stream<String> lines = Files.lines(cpuinfo)) {
      return lines
          .filter(l -> l.startsWith("flags") || l.startsWith("Features"))
          .findFirst()
          .map(l -> Set.of(l.substring(l.indexOf(':') + 1).strip().split("\\s+")))
          .orElse(Set.of());
    } catch (IOException e) {
      throw new IllegalStateException(cpuinfo + " can't be read", e);
    }
  }
}

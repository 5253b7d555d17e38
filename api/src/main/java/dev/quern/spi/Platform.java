package dev.quern.spi;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/// Where a provider is to run. It is passed in, so that a test can fake it.
///
/// @param os `linux`, `macos`, `windows`, or the `os.name` property in lower case
/// @param arch `aarch64`, `x86_64`, or the `os.arch` property
/// @param cpuFeatures what the CPU and the operating system offer, in Linux's names (`dotprod`,
///   `i8mm`, `sve`, `sme`, `sme2`, `avx2`, ...), less what `quern.cpu.mask` takes away
/// @param jit what runs hot code
/// @param modules names of the modules of the JVM's boot layer
/// @param properties the system properties whose names begin with `quern.`
/// @param flags the JVM's own flags (`-XX:`) that decide what becomes of hot code, by name, with
///   the values that are in force: `UseFMA` to `false`. One that is absent has its default, or this
///   JVM does not know it, or can't be asked (that takes the module `jdk.management`)
/// @since 0.1
/// @stability contract
public record Platform(
    String os,
    String arch,
    Set<String> cpuFeatures,
    Jit jit,
    Set<String> modules,
    Map<String, String> properties,
    Map<String, String> flags) {

  public Platform {
    Objects.requireNonNull(os, "os");
    Objects.requireNonNull(arch, "arch");
    Objects.requireNonNull(jit, "jit");
    cpuFeatures = Set.copyOf(cpuFeatures);
    modules = Set.copyOf(modules);
    properties = Map.copyOf(properties);
    flags = Map.copyOf(flags);
  }

  /// A platform of whose JVM no flag is known.
  public Platform(
      String os,
      String arch,
      Set<String> cpuFeatures,
      Jit jit,
      Set<String> modules,
      Map<String, String> properties) {
    this(os, arch, cpuFeatures, jit, modules, properties, Map.of());
  }

  /// Whether kernels are asked to be invariant (`quern.numerics`; SPEC.md, P21). The façade passes
  /// over offers that do not promise it; a provider that has such kernels besides faster ones
  /// offers those here.
  public boolean invariant() {
    return List.of(properties.getOrDefault("quern.numerics", "").strip().split("\\s*,\\s*"))
        .contains("invariant");
  }

  /// One line for people.
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s %s, %s, CPU features: %s",
        os,
        arch,
        jit == Jit.INTERPRETER || jit == Jit.UNKNOWN
            ? "JIT " + jit.name().toLowerCase(Locale.ROOT)
            : "JIT " + jit,
        cpuFeatures.isEmpty() ? "none known" : String.join(" ", new TreeSet<>(cpuFeatures)));
  }
}

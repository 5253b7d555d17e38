package dev.quern.platform;

import dev.quern.spi.Jit;
import dev.quern.spi.Platform;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/// Finds out where this JVM runs.
public final class Platforms {
  private static final Logger LOG = System.getLogger("dev.quern");
  private static final int SYSCTL_SECONDS = 10;

  private Platforms() {}

  /// This machine and JVM, with all features that the CPU and the operating system offer.
  public static Platform current(Map<String, String> properties) {
    String os = os(System.getProperty("os.name"));
    String arch = arch(System.getProperty("os.arch"));
    Map<String, String> flags = VmFlags.read();
    return new Platform(
        os,
        arch,
        cpuFeatures(os, arch),
        jit(
            System.getProperty("java.vm.name", ""),
            System.getProperty("java.vm.version", ""),
            System.getProperty("java.vm.info", ""),
            flags),
        ModuleLayer.boot().modules().stream()
            .map(Module::getName)
            .collect(Collectors.toUnmodifiableSet()),
        properties,
        flags);
  }

  static String os(String osName) {
    String name = osName.toLowerCase(Locale.ROOT);
    if (name.startsWith("mac")) {
      return "macos";
    }
    return name.startsWith("windows") ? "windows" : name;
  }

  static String arch(String osArch) {
    return switch (osArch) {
      case "amd64", "x86-64" -> "x86_64";
      case "arm64" -> "aarch64";
      default -> osArch;
    };
  }

  /// What runs hot code: HotSpot's own description of itself, and its flags where it can be asked
  /// for them. Its description alone (seen on JDK 25: `interpreted mode` under `-Xint`,
  /// `emulated-client` under `-XX:TieredStopAtLevel=1`) says nothing of `-XX:-UseCompiler` or of
  /// the other levels to stop at: without flags, these count as C2 here.
  ///
  /// @param vmVersion names JVMCI where another compiler, such as Graal, may stand in for C2
  /// @param flags as in [Platform#flags]
  static Jit jit(String vmName, String vmVersion, String vmInfo, Map<String, String> flags) {
    // Where compilation is tiered, the level says where it ends; level 0 is no compiler.
    String level = flags.getOrDefault("TieredStopAtLevel", "4");
    boolean tiered = !"false".equals(flags.get("TieredCompilation"));
    if (vmInfo.contains("interpreted mode")
        || "false".equals(flags.get("UseCompiler"))
        || level.equals("0")) {
      return Jit.INTERPRETER;
    }
    if (vmInfo.contains("emulated-client")
        || vmName.contains("Client VM")
        || tiered && !level.equals("4")) {
      return Jit.C1;
    }
    boolean jvmci =
        vmVersion.contains("jvmci") && !"false".equals(flags.get("UseJVMCICompiler"))
            || "true".equals(flags.get("UseJVMCICompiler"));
    return vmName.contains("Server VM") && !jvmci ? Jit.C2 : Jit.UNKNOWN;
  }

  /// What the CPU calls itself, for people and to tell one machine from another; `unknown CPU`
  /// where the operating system does not say it in a file.
  public static String cpuName() {
    Path cpuinfo = Path.of("/proc/cpuinfo");
    try {
      return Files.exists(cpuinfo) ? CpuFeatures.name(Files.readString(cpuinfo)) : "unknown CPU";
    } catch (IOException e) {
      LOG.log(Level.WARNING, "the CPU's name is unknown: " + e, e);
      return "unknown CPU";
    }
  }

  /// What can't be read counts as absent, with a warning: a machine without known features still
  /// runs portable kernels.
  private static Set<String> cpuFeatures(String os, String arch) {
    try {
      return switch (os + " " + arch) {
        case "linux aarch64" ->
            CpuFeatures.fromAuxv(Files.readAllBytes(Path.of("/proc/self/auxv")));
        case "linux x86_64" -> CpuFeatures.fromCpuinfo(Files.readString(Path.of("/proc/cpuinfo")));
        case "macos aarch64" -> CpuFeatures.fromSysctl(sysctl());
        default -> Set.of();
      };
    } catch (IOException | IllegalArgumentException e) {
      LOG.log(
          Level.WARNING,
          "CPU features are unknown, so providers that need some stay unavailable: " + e,
          e);
      return Set.of();
    }
  }

  /// A child process, and not sysctlbyname(3) through FFM: that would need `--enable-native-access`
  /// for this module, which applications without native code don't give.
  private static String sysctl() throws IOException {
    Process process =
        new ProcessBuilder("/usr/sbin/sysctl", "hw.optional.arm").redirectErrorStream(true).start();
    try {
      // It prints about 4 kB, which the pipe holds.
      if (!process.waitFor(SYSCTL_SECONDS, TimeUnit.SECONDS)) {
        throw new IOException("sysctl hw.optional.arm: no end after " + SYSCTL_SECONDS + " s");
      }
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.exitValue() != 0) {
        throw new IOException(
            "sysctl hw.optional.arm: exit status " + process.exitValue() + ": " + output.strip());
      }
      return output;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("sysctl hw.optional.arm: interrupted", e);
    } finally {
      process.destroyForcibly();
    }
  }
}

package dev.quern.platform;

import dev.quern.text.Nearest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// CPU features from what operating systems tell, as pure functions of text or bytes.
public final class CpuFeatures {
  private static final long AT_NULL = 0;
  private static final int AT_HWCAP = 16;
  private static final int AT_HWCAP2 = 26;

  /// A feature of aarch64.
  ///
  /// @param name our name for it
  /// @param auxType the auxiliary vector's entry: AT_HWCAP or AT_HWCAP2
  /// @param bit its bit there (Linux, `arch/arm64/include/uapi/asm/hwcap.h`)
  /// @param apple its name below `hw.optional.arm` on macOS; empty where there is none
  /// @param needs a feature that it can't do without: masking that masks this as well
  private record Arm(String name, int auxType, int bit, String apple, String needs) {}

  private static final List<Arm> ARM =
      List.of(
          new Arm("asimdhp", AT_HWCAP, 10, "FEAT_FP16", ""),
          new Arm("dotprod", AT_HWCAP, 20, "FEAT_DotProd", ""),
          new Arm("sve", AT_HWCAP, 22, "", ""),
          new Arm("sve2", AT_HWCAP2, 1, "", "sve"),
          new Arm("svei8mm", AT_HWCAP2, 9, "", "sve"),
          new Arm("svebf16", AT_HWCAP2, 12, "", "sve"),
          new Arm("i8mm", AT_HWCAP2, 13, "FEAT_I8MM", ""),
          new Arm("bf16", AT_HWCAP2, 14, "FEAT_BF16", ""),
          new Arm("sme", AT_HWCAP2, 23, "FEAT_SME", ""),
          new Arm("sme_fa64", AT_HWCAP2, 30, "", "sme"),
          new Arm("sve2p1", AT_HWCAP2, 36, "", "sve2"),
          new Arm("sme2", AT_HWCAP2, 37, "FEAT_SME2", "sme"),
          new Arm("sme2p1", AT_HWCAP2, 38, "", "sme2"));

  /// The flags of `/proc/cpuinfo` that say something about speed here, of more than a hundred.
  private static final Set<String> X86 =
      Set.of(
          "sse4_1",
          "sse4_2",
          "sse4a", // AMD's
          "avx",
          "avx2",
          "fma",
          "f16c",
          "bmi2",
          "avx512f",
          "avx512bw",
          "avx512dq",
          "avx512vl",
          "avx512_vnni",
          "avx512_bf16",
          "avx512_fp16",
          "avx_vnni",
          "amx_tile",
          "amx_int8",
          "amx_bf16");

  private CpuFeatures() {}

  /// Features from Linux's `/proc/self/auxv` on aarch64: pairs of 64-bit little-endian words (type,
  /// value), ended by AT_NULL. See getauxval(3).
  ///
  /// @throws IllegalArgumentException if it is cut off or holds no AT_HWCAP
  static Set<String> fromAuxv(byte[] auxv) {
    if (auxv.length % 16 != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "auxiliary vector: %d bytes, expected a multiple of 16", auxv.length));
    }
    ByteBuffer words = ByteBuffer.wrap(auxv).order(ByteOrder.LITTLE_ENDIAN);
    Map<Long, Long> values = new HashMap<>();
    while (words.hasRemaining()) {
      long type = words.getLong();
      long value = words.getLong();
      if (type == AT_NULL) {
        break;
      }
      values.put(type, value);
    }
    if (!values.containsKey((long) AT_HWCAP)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "auxiliary vector: no AT_HWCAP (type 16) among its %d entries",
              values.size()));
    }
    // Kernels before 4.1 have no AT_HWCAP2; it names later features only.
    return ARM.stream()
        .filter(f -> (values.getOrDefault((long) f.auxType, 0L) >>> f.bit & 1) == 1)
        .map(Arm::name)
        .collect(Collectors.toUnmodifiableSet());
  }

  /// Features from Linux's `/proc/cpuinfo` on x86-64: the `flags` of the first CPU.
  ///
  /// @throws IllegalArgumentException if it holds no flags
  static Set<String> fromCpuinfo(String cpuinfo) {
    String flags =
        cpuinfo
            .lines()
            .filter(line -> line.matches("flags\\s*:.*"))
            .findFirst()
            .orElseThrow(() ->
                new IllegalArgumentException("/proc/cpuinfo: no line that begins with flags"));
    Set<String> found = new HashSet<>(List.of(flags.substring(flags.indexOf(':') + 1).split(" ")));
    found.retainAll(X86);
    return Set.copyOf(found);
  }

  /// The first CPU's name in Linux's `/proc/cpuinfo`: `model name` on x86-64, the identification
  /// registers' fields on aarch64 (`0x41 0x0 0xd0c 1`).
  public static String name(String cpuinfo) {
    String name =
        cpuinfo
            .lines()
            .takeWhile(line -> !line.isBlank())
            .filter(
                line -> line.matches("(model name|CPU (implementer|variant|part|revision))\\s*:.*"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .collect(Collectors.joining(" "));
    return name.isEmpty() ? "unknown CPU" : name;
  }

  /// Features from what `sysctl hw.optional.arm` prints on macOS: lines such as
  /// `hw.optional.arm.FEAT_DotProd: 1`.
  ///
  /// SME counts only with a vector length above zero (`sme_max_svl_b`, in bytes): a virtual machine
  /// may pass the feature bit on without the unit.
  ///
  /// @throws IllegalArgumentException if no line names a feature
  static Set<String> fromSysctl(String output) {
    String prefix = "hw.optional.arm.";
    Map<String, String> values =
        output
            .lines()
            .filter(line -> line.startsWith(prefix) && line.contains(":"))
            .map(line -> line.substring(prefix.length()).split(":", 2))
            .collect(Collectors.toMap(kv -> kv[0].strip(), kv -> kv[1].strip(), (a, _) -> a));
    if (values.isEmpty()) {
      throw new IllegalArgumentException("sysctl: no line that begins with " + prefix);
    }
    boolean streaming = !values.getOrDefault("sme_max_svl_b", "0").equals("0");
    return ARM.stream()
        .filter(f -> !f.apple.isEmpty() && values.getOrDefault(f.apple, "0").equals("1"))
        .map(Arm::name)
        .filter(name -> streaming || !name.startsWith("sme"))
        .collect(Collectors.toUnmodifiableSet());
  }

  /// Features less what a mask takes away. A feature that needs a masked one goes with it: `-sme`
  /// takes `sme2` too.
  ///
  /// @param statedAs what the user calls the setting
  /// @param mask `-name,-name`, or null for none
  /// @throws IllegalArgumentException if it is malformed or names a feature that nobody knows
  public static Set<String> masked(Set<String> features, String statedAs, String mask) {
    if (mask == null) {
      return features;
    }
    Set<String> known = new TreeSet<>(X86);
    ARM.forEach(f -> known.add(f.name));
    known.addAll(features);
    Set<String> left = new HashSet<>(features);
    for (String element : mask.split(",", -1)) {
      left.remove(maskedName(element.strip(), statedAs + "=" + mask + ": ", known));
    }
    // ARM lists a feature after the one that it needs.
    for (Arm f : ARM) {
      if (!f.needs.isEmpty() && features.contains(f.needs) && !left.contains(f.needs)) {
        left.remove(f.name);
      }
    }
    return Set.copyOf(left);
  }

  private static String maskedName(String element, String setting, Set<String> known) {
    if (element.startsWith("+")) {
      throw new IllegalArgumentException(
          setting + "'" + element + "' would add a feature, expected names to take away: -name");
    }
    if (!element.startsWith("-") || element.length() == 1) {
      throw new IllegalArgumentException(
          setting + "element '" + element + "', expected -name, for example -sme,-i8mm");
    }
    String name = element.substring(1);
    if (!known.contains(name)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%sunknown CPU feature '%s'%s, expected one of %s",
              setting,
              name,
              Nearest.hint(name, known),
              String.join(" ", known)));
    }
    return name;
  }
}

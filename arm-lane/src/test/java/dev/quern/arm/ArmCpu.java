package dev.quern.arm;

import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/// The CPUs that the Arm lane emulates: the one place that says what each has.
///
/// What the kernels of each row must be is in `ArmKernels`. Pointer authentication is off: no
/// kernel uses it, and qemu computes its cipher at every call within the JVM's own code.
///
/// @param name how the lane's reports name it
/// @param qemu the release of qemu-user: 10 has SME without SME2, 11 has SME2
/// @param cpu qemu's `-cpu`
/// @param vectorBits what C2 uses: 128 for NEON, else SVE's length
/// @param features as `dev.quern.spi.Platform` names them; all that are, and no more
public record ArmCpu(String name, int qemu, String cpu, int vectorBits, Set<String> features) {
  /// The name of an Arm machine that needs no emulation, of which the table says nothing.
  static final String THIS_MACHINE = "this-machine";

  private static final Set<String> DOTPROD = Set.of("asimdhp", "dotprod");
  private static final Set<String> I8MM = and(DOTPROD, "i8mm", "bf16");
  private static final Set<String> SVE2 = and(I8MM, "sve", "sve2", "svei8mm", "svebf16");
  private static final Set<String> SME = and(SVE2, "sme", "sme_fa64");

  /// No dot product: KleidiAI has nothing for it.
  public static final ArmCpu CORTEX_A72 = new ArmCpu("cortex-a72", 11, "cortex-a72", 128, Set.of());

  public static final ArmCpu CORTEX_A76 = new ArmCpu("cortex-a76", 11, "cortex-a76", 128, DOTPROD);

  public static final ArmCpu NEOVERSE_N2 =
      new ArmCpu("neoverse-n2-no-sve", 11, "neoverse-n2,sve=off,pauth=off", 128, I8MM);

  /// SVE of 256 bits, which some kernels of KleidiAI ask for and abort without. (qemu 11 leaves
  /// BF16 out.)
  public static final ArmCpu NEOVERSE_V1 =
      new ArmCpu(
          "neoverse-v1",
          11,
          "neoverse-v1,pauth=off",
          256,
          and(DOTPROD, "i8mm", "sve", "svei8mm", "svebf16"));

  /// SVE of 512 bits: the kernels for 256 bits must not be chosen.
  public static final ArmCpu MAX_NO_SME =
      new ArmCpu("max-no-sme", 11, "max,sme=off,pauth=off", 512, and(SVE2, "sve2p1"));

  public static final ArmCpu MAX_SME = new ArmCpu("max-sme", 10, "max,pauth=off", 512, SME);

  private static final Set<String> SME2 = and(SME, "sve2p1", "sme2", "sme2p1");

  /// Matrix units with vectors of 32 bytes, qemu's default.
  public static final ArmCpu MAX_SME2 = new ArmCpu("max-sme2", 11, "max,pauth=off", 512, SME2);

  /// Of 16 bytes: kernels take less than half the time under emulation.
  public static final ArmCpu MAX_SME2_16 =
      new ArmCpu("max-sme2-16", 11, "max,pauth=off,sme-default-vector-length=16", 512, SME2);

  /// Of 64 bytes, as Apple's.
  public static final ArmCpu MAX_SME2_64 =
      new ArmCpu("max-sme2-64", 11, "max,pauth=off,sme-default-vector-length=64", 512, SME2);

  public static final List<ArmCpu> ALL =
      List.of(
          CORTEX_A72,
          CORTEX_A76,
          NEOVERSE_N2,
          NEOVERSE_V1,
          MAX_NO_SME,
          MAX_SME,
          MAX_SME2,
          MAX_SME2_16,
          MAX_SME2_64);

  /// The CPU of a name.
  ///
  /// @throws IllegalArgumentException if there is none
  public static ArmCpu named(String name) {
    return ALL.stream()
        .filter(c -> c.name.equals(name))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                String.format(
                    Locale.ROOT,
                    "CPU row '%s', expected one of %s",
                    name,
                    ALL.stream().map(ArmCpu::name).toList())));
  }

  private static Set<String> and(Set<String> features, String... more) {
    Set<String> all = new TreeSet<>(features);
    all.addAll(List.of(more));
    return Set.copyOf(all);
  }
}

package dev.quern.arm;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// A row of the Arm lane: one JVM, on one CPU.
///
/// @param cpu the CPU
/// @param library the Debian suite whose KleidiAI it uses: `trixie` (1.8.0) or `sid` (current)
/// @param c2 whether C2 compiles; C1 is faster under emulation, where most code runs a few times
/// @param tags what runs: JUnit's expression of tags
/// @param tries generated cases for each rule of the conformance suite, besides the edge cases
public record ArmRow(ArmCpu cpu, String library, boolean c2, String tags, int tries) {
  /// Every row, those that take longest first.
  ///
  /// The vector provider needs C2. Models are compared between the three CPUs that differ in the
  /// kernels that they use. The conformance suite (`arm-suite`) runs on all rows with kernels but
  /// two whose kernels other rows have at another length: SME vectors of 64 bytes, where it takes
  /// two minutes, and SVE of 512 bits; with a generated case for each rule, and one of the largest
  /// cases for each kind of spec, on one of them: they take minutes more.
  static final List<ArmRow> ALL =
      List.of(
          new ArmRow(ArmCpu.NEOVERSE_N2, "sid", false, "arm | arm-models | arm-stress", 0),
          new ArmRow(ArmCpu.MAX_SME2_16, "sid", false, "arm | arm-models", 0),
          new ArmRow(ArmCpu.MAX_SME, "sid", false, "arm", 0),
          new ArmRow(ArmCpu.MAX_SME2, "trixie", false, "arm", 0),
          new ArmRow(ArmCpu.NEOVERSE_V1, "sid", false, "arm", 0),
          new ArmRow(ArmCpu.NEOVERSE_N2, "trixie", false, "arm", 0),
          new ArmRow(ArmCpu.CORTEX_A76, "sid", false, "arm | arm-models", 1),
          new ArmRow(
              ArmCpu.CORTEX_A76, "sid", true, "arm-vector | arm-attention | arm-allocation", 0),
          new ArmRow(ArmCpu.MAX_SME2_64, "sid", false, "arm & !arm-suite", 0),
          new ArmRow(ArmCpu.MAX_NO_SME, "sid", false, "arm & !arm-suite", 0),
          new ArmRow(ArmCpu.NEOVERSE_V1, "sid", true, "arm-vector", 0),
          new ArmRow(ArmCpu.MAX_NO_SME, "sid", true, "arm-vector", 0),
          new ArmRow(ArmCpu.CORTEX_A72, "sid", false, "arm-none | arm-scalar", 0));

  /// All tests on the Arm machine that this is, with whatever KleidiAI it has.
  static ArmRow onThisMachine() {
    ArmCpu cpu = new ArmCpu(ArmCpu.THIS_MACHINE, 0, "", 0, Set.of());
    return new ArmRow(
        cpu,
        "this-machine",
        true,
        "arm | arm-models | arm-stress | arm-scalar | arm-vector | arm-attention | arm-allocation",
        20);
  }

  /// For reports and folders: `max-sme2-16-sid`, `cortex-a76-c2`.
  public String name() {
    return cpu.name() + "-" + (c2 ? "c2" : library);
  }

  /// What the row's JVM is given before its class path.
  List<String> jvmOptions() {
    List<String> options =
        new ArrayList<>(
            List.of(
                "-Xmx768m",
                "-XX:+UseSerialGC",
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Dquern.arm.cpu=" + cpu.name(),
                "-Dquern.arm.library=" + library,
                "-Dquern.arm.c2=" + c2,
                // Where there are kernels for the CPU, not one test may be left out.
                "-Dquern.arm.required=" + cpu.features().contains("dotprod")));
    if (tags.contains("arm-stress")) {
      options.add("-XX:NativeMemoryTracking=summary");
    }
    if (!c2) {
      options.add("-XX:TieredStopAtLevel=1");
    }
    if (cpu.features().contains("sme")) {
      // Off unless asked for; this is the number of threads that may use the unit.
      options.add("-Dquern.kleidi.sme=2");
    }
    return options;
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%s (qemu %d -cpu %s, %s, KleidiAI of %s; %s)",
        name(),
        cpu.qemu(),
        cpu.cpu(),
        c2 ? "C2" : "C1",
        library,
        tags);
  }
}

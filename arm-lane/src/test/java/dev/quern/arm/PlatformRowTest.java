package dev.quern.arm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.KernelOptions;
import dev.quern.spi.Jit;
import dev.quern.spi.Platform;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Each row runs on the CPU that it names: without this, rows could all be alike and nobody would
/// notice.
@Tag("arm")
@Tag("arm-none")
@Tag("arm-vector")
class PlatformRowTest {
  @Test
  void theCpuIsTheRows() {
    String name = System.getProperty("quern.arm.cpu");
    Assumptions.assumeFalse(
        name.equals(ArmCpu.THIS_MACHINE), "an Arm machine itself has no row in the table");
    Platform platform = KernelOptions.fromSystem().platform();
    assertEquals("linux aarch64", platform.os() + " " + platform.arch());
    assertEquals(
        new TreeSet<>(ArmCpu.named(name).features()), new TreeSet<>(platform.cpuFeatures()));
  }

  @Test
  void theCompilerIsTheRows() {
    boolean c2 = Boolean.getBoolean("quern.arm.c2");
    assertEquals(c2 ? Jit.C2 : Jit.C1, KernelOptions.fromSystem().platform().jit());
  }
}

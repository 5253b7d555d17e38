package dev.quern.arm;

import static dev.quern.arm.RowSuite.of;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.KernelOptions;
import dev.quern.provider.vector.VectorProvider;
import dev.quern.spi.Availability;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// The vector provider's kernels on Arm: NEON and SVE of two lengths. A kernel of each kind: packed
/// nibbles, sums over a row, swapped neighbours, elements, and attention, which NEON has a way of
/// its own for.
class VectorRowTest {
  @Test
  @Tag("arm-vector")
  void theWidthIsTheCpus() {
    String cpu = System.getProperty("quern.arm.cpu");
    Assumptions.assumeFalse(
        cpu.equals(ArmCpu.THIS_MACHINE), "an Arm machine itself has no row in the table");
    Availability availability =
        new VectorProvider().open(KernelOptions.fromSystem().providersPlatform());
    assertEquals(
        String.format(Locale.ROOT, "%d-bit vectors", ArmCpu.named(cpu).vectorBits()),
        ((Availability.Ready) availability).detail());
  }

  @TestFactory
  @Tag("arm-vector")
  Stream<DynamicTest> kernels() {
    return new RowSuite(
            VectorProvider::new,
            of("linear", "Q4_0"),
            of("rmsnorm", "all"),
            of("rope", "all"),
            of("swiglu", "all"))
        .tests();
  }

  /// On one row: until C2 has compiled it, it takes half a minute.
  @TestFactory
  @Tag("arm-attention")
  Stream<DynamicTest> attention() {
    return new RowSuite(VectorProvider::new, of("attention", "F16"), of("attention", "F32"))
        .tests();
  }
}

package dev.quern.provider.kleidi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.arm.ArmCpu;
import dev.quern.arm.ArmKernels;
import dev.quern.data.BlockFormat;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Availability;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Variant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// Each CPU gets the kernels that [ArmKernels] says, and no more.
@Tag(ArmHost.TAG)
@Tag("arm-none")
class KernelSelectionRowTest {
  private static final List<BlockFormat> FORMATS =
      List.of(
          BlockFormat.INT4_B32,
          BlockFormat.INT4_B64,
          BlockFormat.INT4_B128,
          BlockFormat.INT4_B256,
          BlockFormat.Q4_0,
          BlockFormat.INT8_C,
          BlockFormat.F32,
          BlockFormat.BF16);

  private static ArmKernels expected;

  @BeforeAll
  static void needsARow() {
    String cpu = System.getProperty("quern.arm.cpu", "");
    Assumptions.assumeTrue(
        ArmCpu.ALL.stream().anyMatch(c -> c.name().equals(cpu)),
        "an Arm machine itself has no row in the table");
    expected = ArmKernels.of(cpu, System.getProperty("quern.arm.library"));
  }

  @TestFactory
  Stream<DynamicTest> theTablesKernelsAreChosen() {
    return FORMATS.stream()
        .map(f ->
            DynamicTest.dynamicTest(
                f.id(), () -> assertEquals(expected.of(f), chosen(options(), f))));
  }

  /// The matrix unit may be shared by several cores, so it is used only where a user says so.
  @TestFactory
  Stream<DynamicTest> smeIsOffUnlessAskedFor() {
    ArmKernels without = expected.withoutSme();
    return FORMATS.stream()
        .map(f ->
            DynamicTest.dynamicTest(
                f.id(),
                () ->
                    assertEquals(
                        without.of(f), chosen(options().with("quern.kleidi.sme", "off"), f))));
  }

  @Test
  void aMaskedFeatureIsNotUsed() {
    Assumptions.assumeTrue(expected.available(), "there is nothing to mask");
    KernelOptions masked =
        options().with("quern.cpu.mask", "-i8mm").with("quern.kleidi.sme", "off");
    assertEquals(ArmKernels.DOTPROD.of(BlockFormat.Q4_0), chosen(masked, BlockFormat.Q4_0));
    KernelOptions nothing = options().with("quern.cpu.mask", "-dotprod");
    Availability.Unavailable why =
        assertInstanceOf(
            Availability.Unavailable.class, new KleidiProvider().open(nothing.providersPlatform()));
    assertTrue(why.reason().contains("dotprod"), why.reason());
    assertTrue(why.remedy().contains("quern.cpu.mask"), why.remedy());
  }

  /// The getters of a kernel trap as its loops do, so nothing of it may be called.
  @TestFactory
  Stream<DynamicTest> whatTheCpuLacksIsRefusedBeforeItTraps() {
    Set<String> features = options().platform().cpuFeatures();
    LibrarySearch.Found found =
        assertInstanceOf(
            LibrarySearch.Found.class,
            LibrarySearch.find(
                "linux",
                Optional.of(System.getProperty(LibrarySearch.PROPERTY)),
                KernelSelectionRowTest.class.getClassLoader()));
    return KernelRow.TABLE.stream()
        .filter(row -> !features.containsAll(row.needs()))
        .map(row ->
            DynamicTest.dynamicTest(
                row.gemm(),
                () -> {
                  IllegalArgumentException e =
                      assertThrows(
                          IllegalArgumentException.class,
                          () -> row.open(features, Integer.MAX_VALUE, found.library()));
                  assertTrue(e.getMessage().contains("the CPU lacks "), e.getMessage());
                }));
  }

  private static KernelOptions options() {
    return KernelOptions.fromSystem();
  }

  /// The names of the variants for one row of x and for more; empty if the provider is unavailable.
  private static List<String> chosen(KernelOptions options, BlockFormat format) {
    return switch (new KleidiProvider().open(options.providersPlatform())) {
      case Availability.Unavailable u -> {
        assertTrue(u.reason().contains("dotprod"), u.reason());
        yield List.of();
      }
      case Availability.Ready(KernelSet kernels, String _) -> {
        try (kernels) {
          yield chosen(
              kernels.linear(
                  new LinearSpec(format, 64, 512, false, Set.copyOf(Numerics.standard()))));
        }
      }
    };
  }

  private static List<String> chosen(Offer<LinearPacker> offer) {
    return switch (offer) {
      case Offer.Accepted<LinearPacker> a -> a.variants().stream().map(Variant::name).toList();
      case Offer.Declined<LinearPacker> d -> List.of("declined: " + d.reason());
    };
  }
}

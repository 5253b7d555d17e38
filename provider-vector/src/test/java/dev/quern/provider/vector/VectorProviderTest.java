package dev.quern.provider.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.data.BlockFormat;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Availability;
import dev.quern.spi.Jit;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Where the provider runs, and what it says where it doesn't.
class VectorProviderTest {
  private static final Set<String> MODULES = Set.of("java.base", "jdk.incubator.vector");

  private final VectorProvider provider = new VectorProvider();

  @Test
  void isFoundAsAService() {
    assertTrue(
        ServiceLoader.load(KernelProvider.class).stream()
            .anyMatch(p -> p.type() == VectorProvider.class));
  }

  @Test
  void isReadyWithC2AndTheModule() {
    Availability.Ready ready =
        assertInstanceOf(Availability.Ready.class, on("x86_64", Jit.C2, MODULES, "fma"));
    assertEquals(VectorWidth.preferredBits() + "-bit vectors", ready.detail());
  }

  @Test
  void namesTheFlagThatBringsTheModule() {
    Availability.Unavailable no = unavailable(on("x86_64", Jit.C2, Set.of("java.base"), "fma"));
    assertEquals("the module jdk.incubator.vector is not loaded", no.reason());
    assertEquals("start the JVM with --add-modules jdk.incubator.vector", no.remedy());
  }

  @ParameterizedTest
  @EnumSource(
      value = Jit.class,
      names = {"C1", "INTERPRETER", "UNKNOWN"})
  void needsC2(Jit jit) {
    Availability.Unavailable no = unavailable(on("aarch64", jit, MODULES, "asimd"));
    assertTrue(no.reason().contains("C2"), no.reason());
    assertTrue(no.remedy().contains("-XX:TieredStopAtLevel"), no.remedy());
  }

  @Test
  void needsFusedMultiplyAddWhereFeaturesAreKnown() {
    assertEquals("", unavailable(on("x86_64", Jit.C2, MODULES, "avx")).remedy());
    assertInstanceOf(Availability.Ready.class, on("x86_64", Jit.C2, MODULES));
    assertInstanceOf(Availability.Ready.class, on("aarch64", Jit.C2, MODULES, "asimd"));
  }

  @Test
  void declinesInt8ActivationsWithTheReason() {
    LinearSpec spec = new LinearSpec(BlockFormat.Q4_0, 8, 32, false, Set.of(Numerics.INT8_SYM_32));
    Offer.Declined<?> no = assertInstanceOf(Offer.Declined.class, provider.linear(spec));
    assertEquals("runs with exact-f32 alone, and the spec tolerates [int8-sym-32]", no.reason());
  }

  private Availability on(String arch, Jit jit, Set<String> modules, String... features) {
    return provider.open(new Platform("linux", arch, Set.of(features), jit, modules, Map.of()));
  }

  private static Availability.Unavailable unavailable(Availability a) {
    return assertInstanceOf(Availability.Unavailable.class, a);
  }
}

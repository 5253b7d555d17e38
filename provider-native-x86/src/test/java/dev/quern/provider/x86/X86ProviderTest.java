package dev.quern.provider.x86;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.Kernels;
import dev.quern.SelectionException;
import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.memory.ExecutableMemory;
import dev.quern.provider.x86.memory.RefusedException;
import dev.quern.spi.Availability;
import dev.quern.spi.Availability.Ready;
import dev.quern.spi.Availability.Unavailable;
import dev.quern.spi.Jit;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the provider says of itself, here and where it can't run. The system is a fake one, so
/// these tests run anywhere.
class X86ProviderTest {
  private static final Set<String> AMX = CpuRow.AMX.needs();

  @TempDir private Path folder;

  /// A system that permits everything, and notes what it is asked.
  private static class Permits implements HostSystem {
    final List<String> asked = new ArrayList<>();

    @Override
    public Optional<String> amxRefusal() {
      asked.add("amx");
      return Optional.empty();
    }

    @Override
    public void tryCode() throws RefusedException {
      asked.add("code");
    }
  }

  private static Platform linux(Set<String> features, Map<String, String> properties) {
    return new Platform("linux", "x86_64", features, Jit.C2, Set.of(), properties);
  }

  @ParameterizedTest
  @CsvSource({"linux,aarch64", "windows,x86_64", "macos,x86_64", "freebsd,x86_64"})
  void otherPlatformsAreNamedAndHaveNoRemedy(String os, String arch) {
    Permits system = new Permits();
    Unavailable u = unavailable(system, new Platform(os, arch, AMX, Jit.C2, Set.of(), Map.of()));
    assertEquals(
        String.format(Locale.ROOT, "it runs on Linux on x86-64, and this is %s on %s", os, arch),
        u.reason());
    assertEquals("", u.remedy());
    assertEquals(List.of(), system.asked, "no native symbol is touched");
  }

  @Test
  void anOldCpuIsOnlyRemediedWhereAMaskMadeIt() {
    Set<String> old = Set.of("avx", "avx2", "f16c");
    Unavailable u = unavailable(new Permits(), linux(old, Map.of()));
    assertEquals("the CPU is none of its rows: avx2 needs fma", u.reason());
    assertEquals("", u.remedy());
    Map<String, String> mask = Map.of("quern.cpu.mask", "-amx_int8, -fma,-avx512f");
    assertEquals(
        "take -fma out of quern.cpu.mask", unavailable(new Permits(), linux(old, mask)).remedy());
  }

  /// A machine of the best row is all of them.
  @ParameterizedTest
  @CsvSource({
    "none, amx",
    "amx_int8, zen4",
    "amx_int8 sse4a, avx512-vnni",
    "avx512_vnni sse4a, avx-vnni",
    "avx512_vnni avx_vnni sse4a, avx2",
  })
  void masksChooseTheRow(String masked, String row) {
    Set<String> features = new TreeSet<>(AMX);
    features.addAll(List.of("avx_vnni", "sse4a"));
    features.removeAll(List.of(masked.split(" ")));
    Permits system = new Permits();
    X86Provider provider = new X86Provider(system);
    assertEquals(
        "machine code for CPU row " + row, ready(provider, linux(features, Map.of())).detail());
    assertEquals(
        row.equals("amx") ? List.of("amx", "code") : List.of("code"),
        system.asked,
        "tiles are asked for first, where there are any");
  }

  @Test
  void tilesThatAreNotPermittedAreAReason() {
    String refusal = "the system does not permit AMX tiles: arch_prctl(...): EPERM";
    HostSystem system =
        new Permits() {
          @Override
          public Optional<String> amxRefusal() {
            return Optional.of(refusal);
          }
        };
    assertEquals(
        "machine code for CPU row avx512-vnni; not amx: " + refusal,
        ready(new X86Provider(system), linux(AMX, Map.of())).detail());
  }

  @Test
  void memoryThatIsRefusedIsAReasonWithARemedy() {
    HostSystem system =
        new Permits() {
          @Override
          public void tryCode() throws RefusedException {
            throw ExecutableMemory.refused("mprotect to read and execute", 4096, 13);
          }
        };
    Unavailable u = unavailable(system, linux(AMX, Map.of()));
    assertEquals(
        "the system refuses memory for machine code: mprotect to read and execute of 4096 bytes:"
            + " EACCES",
        u.reason());
    assertTrue(u.remedy().contains("MemoryDenyWriteExecute=no"), u.remedy());
    assertOneLine(u);
  }

  /// As where a C library lacks one of the functions.
  @Test
  void aCLibraryThatCantBeCalledIsAReason() {
    HostSystem system =
        new Permits() {
          @Override
          public void tryCode() {
            throw new NoSuchElementException("Symbol not found: mprotect");
          }
        };
    Unavailable u = unavailable(system, linux(AMX, Map.of()));
    assertEquals(
        "this system's C library can't be called: java.util.NoSuchElementException: Symbol not"
            + " found: mprotect",
        u.reason());
    assertOneLine(u);
  }

  @Test
  void aMisspeltPropertyIsNotPassedOver() {
    Unavailable u = unavailable(new Permits(), linux(AMX, Map.of("quern.x86.listings", "x")));
    assertEquals("quern.x86.listings is no property of it", u.reason());
    assertEquals("use quern.x86.listing", u.remedy());
  }

  @Test
  void listingsNeedAFolder() throws Exception {
    for (Path none : List.of(folder.resolve("none"), Files.createFile(folder.resolve("file")))) {
      Map<String, String> listing = Map.of("quern.x86.listing", none.toString());
      Unavailable u = unavailable(new Permits(), linux(AMX, listing));
      assertEquals(
          "quern.x86.listing=" + none + " is no folder that can be written to", u.reason());
      assertOneLine(u);
    }
    String none = "\0";
    unavailable(new Permits(), linux(AMX, Map.of("quern.x86.listing", none)));
  }

  @Test
  void whatIsClosedDeclines() {
    X86Provider provider = new X86Provider(new Permits());
    KernelSet closed = ready(provider, linux(AMX, Map.of())).kernels();
    closed.close();
    closed.close();
    for (Offer<?> offer : offers(closed)) {
      assertEquals(Offer.declined("it is closed"), offer);
    }
  }

  private static Ready ready(X86Provider provider, Platform platform) {
    return assertInstanceOf(Ready.class, provider.open(platform));
  }

  private static List<Offer<?>> offers(KernelSet kernels) {
    return List.of(
        kernels.linear(
            new LinearSpec(BlockFormat.Q4_0, 8, 32, false, Set.of(Numerics.INT8_SYM_32))),
        kernels.attention(new AttentionSpec(4, 2, 64, 100, 0.125f, KvFormat.F16)),
        kernels.rmsNorm(RmsNormSpec.of(64, 1e-5f)),
        kernels.rope(new RopeSpec(4, 64, RopePairing.HALF_SPLIT)),
        kernels.swiGlu(SwiGluSpec.of(64)));
  }

  @Test
  void namingItIsAPromise() {
    KernelOptions here = KernelOptions.fromSystem().withProvider("x86,scalar");
    KernelOptions arm =
        new KernelOptions(
            here.properties(),
            new Platform("linux", "aarch64", Set.of(), Jit.C2, Set.of(), Map.of()),
            here.loader());
    String message = assertThrows(SelectionException.class, () -> Kernels.load(arm)).getMessage();
    List<String> lines = message.lines().toList();
    assertTrue(
        lines.get(0).contains("it runs on Linux on x86-64, and this is linux on aarch64"), message);
    assertEquals(
        "  Or set quern.provider=x86?,scalar, or quern.provider=auto", lines.get(1), message);
  }

  private static Unavailable unavailable(HostSystem system, Platform platform) {
    Availability answer = new X86Provider(system).open(platform);
    assertEquals(answer, new X86Provider(system).open(platform));
    return assertInstanceOf(Unavailable.class, answer);
  }

  private static void assertOneLine(Unavailable u) {
    assertEquals(1, (u.reason() + u.remedy()).lines().count(), u.toString());
  }
}

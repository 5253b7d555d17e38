package dev.quern.provider.kleidi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.KernelOptions;
import dev.quern.Kernels;
import dev.quern.SelectionException;
import dev.quern.data.BlockFormat;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Availability;
import dev.quern.spi.Availability.Unavailable;
import dev.quern.spi.Jit;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the provider says of itself where it can't run, and what it asks of a library. None of
/// these tests loads one, so they run anywhere.
class KleidiProviderTest {
  private static final String LIBRARY = "quern.kleidi.library";

  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({"linux,x86_64", "windows,aarch64", "macos,x86_64"})
  void otherPlatformsAreNamedAndHaveNoRemedy(String os, String arch) {
    Unavailable u = unavailable(new Platform(os, arch, Set.of(), Jit.C2, Set.of(), Map.of()));
    assertEquals(
        String.format(
            Locale.ROOT, "it runs on Linux and macOS on aarch64, and this is %s on %s", os, arch),
        u.reason());
    assertEquals("", u.remedy());
  }

  @Test
  void aCpuWithoutDotProductsIsOnlyRemediedWhereAMaskTookThem() {
    assertEquals(
        "the CPU lacks dot product instructions (dotprod)", arm(Set.of(), Map.of()).reason());
    assertEquals("", arm(Set.of(), Map.of()).remedy());
    assertEquals(
        "take -dotprod out of quern.cpu.mask",
        arm(Set.of(), Map.of("quern.cpu.mask", "-sme,-dotprod")).remedy());
  }

  @Test
  void aMisspeltPropertyIsNotPassedOver() {
    assertEquals(
        "quern.kleidi.libary is no property of it",
        arm(Set.of("dotprod"), Map.of("quern.kleidi.libary", "x")).reason());
  }

  @ParameterizedTest
  @CsvSource({"yes", "-1", "2.5", "99999", "ON"})
  void smeIsOffOnOrANumber(String value) {
    assertEquals(
        String.format(
            Locale.ROOT, "quern.kleidi.sme=%s, expected off, on or a number of threads", value),
        arm(Set.of("dotprod"), Map.of("quern.kleidi.sme", value)).reason());
  }

  @Test
  void eachWayToLackALibraryHasItsReason() throws IOException {
    assertEquals("there is no such file", library(folder.resolve("none.so")));
    assertEquals("not a file", library(folder));
    assertEquals("0 bytes, expected a shared library", library(file()));
    assertEquals(
        "a static archive, expected a shared library", library(file("!<arch>\n".getBytes())));
    assertEquals(
        "not an ELF file, expected a shared library for aarch64", library(file(new byte[64])));
    assertEquals(
        "an ELF file for x86-64, expected aarch64 (machine 183, 64 bits, little-endian)",
        library(elf(2, 3, 62)));
    assertEquals(
        "an ELF file for machine 40, expected aarch64 (machine 183, 64 bits, little-endian)",
        library(elf(1, 3, 40)));
    assertEquals("an ELF file of type 2, expected a shared library (3)", library(elf(2, 2, 183)));
    assertTrue(
        library(elf(2, 3, 183)).startsWith("the system's loader refuses it ("),
        library(elf(2, 3, 183)));
  }

  @Test
  void noLibraryAtAllNamesTheLinkStep() {
    Unavailable u = arm(Set.of("dotprod"), Map.of());
    if (System.getProperty("os.arch").equals("aarch64")) {
      return; // the system may have one
    }
    assertEquals("there is no libkleidiai.so that loads on the system's library path", u.reason());
    assertTrue(u.remedy().contains("link-kleidiai") && u.remedy().contains(LIBRARY), u.remedy());
  }

  @Test
  void everyReasonIsOneLine() throws IOException {
    for (Path path : List.of(folder, elf(2, 3, 62), elf(2, 3, 183), file(new byte[1]))) {
      Unavailable u = arm(Set.of("dotprod"), Map.of(LIBRARY, path.toString()));
      assertEquals(1, (u.reason() + u.remedy()).lines().count());
      assertTrue(u.remedy().contains("link-kleidiai"), u.remedy());
    }
  }

  @Test
  void whatIsClosedDeclines() {
    LinearSpec spec =
        new LinearSpec(BlockFormat.Q4_0, 8, 32, false, Set.copyOf(Numerics.standard()));
    KleidiKernels closed =
        new KleidiKernels(new LoadedKernels(new KleidiAi(_ -> Optional.empty()), Set.of(), 0));
    closed.close();
    closed.close();
    assertEquals(Offer.declined("it is closed"), closed.linear(spec));
  }

  /// What it declines it declines wherever it is, with the reason.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "F16|x in F16",
        "Q8_0|a scale for each block",
        "Q4_1|leaves the bounds",
        "Q4_K|SME2 alone",
        "IQ4_NL|another interface",
        "MXFP4|scales as F16",
        "Q6_K|no KleidiAI kernel for weight format Q6_K"
      })
  void aFormatIsDeclinedWithTheReason(String format, String reason) {
    KleidiKernels kernels =
        new KleidiKernels(new LoadedKernels(new KleidiAi(_ -> Optional.empty()), Set.of(), 0));
    LinearSpec spec =
        new LinearSpec(
            BlockFormat.byId(format).orElseThrow(), 8, 256, false, Set.copyOf(Numerics.standard()));
    Offer.Declined<?> declined = assertInstanceOf(Offer.Declined.class, kernels.linear(spec));
    assertTrue(declined.reason().contains(reason), declined.reason());
    assertEquals(1, declined.reason().lines().count());
  }

  /// Rule P5's other side: on a CPU that lacks a row's features no function of it is called.
  @Test
  void aRowIsRefusedBeforeAnythingOfItIsTouched() {
    for (KernelRow row : KernelRow.TABLE) {
      for (String need : row.needs()) {
        Set<String> features = new HashSet<>(row.needs());
        features.remove(need);
        // no library: whatever looked for a symbol would fail otherwise
        IllegalArgumentException e =
            assertThrows(IllegalArgumentException.class, () -> row.open(features, 8, null));
        assertEquals(
            String.format(Locale.ROOT, "KleidiAI kernel %s: the CPU lacks %s", row.gemm(), need),
            e.getMessage());
      }
      if (row.sme()) {
        assertEquals("quern.kleidi.sme is off", row.obstacle(new HashSet<>(row.needs()), 0, null));
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"kleidi", "kleidi,scalar"})
  void namingItIsAPromise(String list) {
    KernelOptions here = KernelOptions.fromSystem().withProvider(list);
    KernelOptions x86 =
        new KernelOptions(
            here.properties(),
            new Platform("linux", "x86_64", Set.of("avx2"), Jit.C2, Set.of(), Map.of()),
            here.loader());
    String message = assertThrows(SelectionException.class, () -> Kernels.load(x86)).getMessage();
    List<String> lines = message.lines().toList();
    assertTrue(
        lines.get(0).contains("it runs on Linux and macOS on aarch64, and this is linux on x86_64"),
        message);
    assertEquals(
        "  Or set quern.provider=kleidi?,scalar, or quern.provider=auto", lines.get(1), message);
  }

  @Test
  void autoSaysWhyItIsNotThere() {
    KernelOptions here = KernelOptions.fromSystem().withProvider("auto");
    KernelOptions x86 =
        new KernelOptions(
            here.properties(),
            new Platform("linux", "x86_64", Set.of("avx2"), Jit.C2, Set.of(), Map.of()),
            here.loader());
    String report = Kernels.load(x86).report().text();
    assertTrue(
        report.contains("it runs on Linux and macOS on aarch64, and this is linux on x86_64"),
        report);
  }

  private static Unavailable arm(Set<String> features, Map<String, String> properties) {
    return unavailable(new Platform("linux", "aarch64", features, Jit.C2, Set.of(), properties));
  }

  private static Unavailable unavailable(Platform platform) {
    Availability answer = new KleidiProvider().open(platform);
    assertEquals(answer, new KleidiProvider().open(platform));
    return assertInstanceOf(Unavailable.class, answer);
  }

  /// The reason that a library at a path is refused for, without the path.
  private static String library(Path path) {
    Unavailable u = arm(Set.of("dotprod"), Map.of(LIBRARY, path.toString()));
    String start = LIBRARY + "=" + path + ": ";
    assertTrue(u.reason().startsWith(start), u.reason());
    return u.reason().substring(start.length());
  }

  private Path elf(int bits, int type, int machine) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(120).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(0, 0x464C457F).put(4, (byte) bits).put(5, (byte) 1);
    head.putShort(16, (short) type).putShort(18, (short) machine);
    // One program header, PT_GNU_STACK without execution: the JVM warns of libraries that lack it.
    head.putLong(32, 64).putShort(54, (short) 56).putShort(56, (short) 1);
    head.putInt(64, 0x6474_E551).putInt(68, 6);
    return file(head.array());
  }

  private Path file(byte... bytes) throws IOException {
    return Files.write(Files.createTempFile(folder, "lib", ".so"), bytes);
  }
}

package dev.quern.platform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CpuFeaturesTest {
  /// AT_HWCAP and AT_HWCAP2 as qemu-user 10.0 and 11.1 report them for these `-cpu` models.
  @ParameterizedTest
  @CsvSource({
    "cortex-a53, 8fb, 0, ''",
    "cortex-a76, 119ffb, 0, asimdhp dotprod",
    "a64fx, 415ffb, 0, asimdhp sve",
    "'neoverse-v1,sve=off', cfbffffb, 12001, asimdhp dotprod i8mm",
    "'neoverse-n2,sve=off', efbffffb, 76181, asimdhp dotprod i8mm bf16",
    "neoverse-n2, effffffb, 773ff, asimdhp dotprod i8mm bf16 sve sve2 svei8mm svebf16",
    "max (10.0: SME1 only), effffffb, 18007fc77fff, "
        + "asimdhp dotprod i8mm bf16 sve sve2 svei8mm svebf16 sme sme_fa64",
    "'max,sve=off', b01fefbffffb, 7fff9fe43fc761bd, asimdhp dotprod i8mm bf16 sme sme2 sme2p1",
  })
  void auxvOfEmulatedCpus(String cpu, String hwcap, String hwcap2, String expected) {
    Set<String> features =
        CpuFeatures.fromAuxv(
            auxv(
                33,
                0x7fff_0000L, // AT_SYSINFO_EHDR comes first on real systems
                16,
                Long.parseUnsignedLong(hwcap, 16),
                26,
                Long.parseUnsignedLong(hwcap2, 16),
                0,
                0));
    Set<String> wanted = expected.isEmpty() ? Set.of() : Set.of(expected.split(" "));
    assertEquals(wanted, features, cpu);
  }

  @Test
  void theOrderOfEntriesDoesNotMatterAndNothingIsReadBehindTheEnd() {
    byte[] auxv = auxv(26, 1L << 13, 16, 1L << 20, 0, 0, 26, -1L);
    assertEquals(Set.of("dotprod", "i8mm"), CpuFeatures.fromAuxv(auxv));
  }

  @Test
  void oldKernelsHaveNoSecondWord() {
    assertEquals(Set.of("dotprod"), CpuFeatures.fromAuxv(auxv(16, 1L << 20)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 8, 15, 17, 31})
  void aTruncatedVectorIsAnError(int length) {
    byte[] auxv = Arrays.copyOf(auxv(16, 1L << 20, 0, 0), length);
    var e = assertThrows(IllegalArgumentException.class, () -> CpuFeatures.fromAuxv(auxv));
    assertTrue(e.getMessage().contains(length + " bytes, expected a multiple of 16"));
  }

  @Test
  void aVectorWithoutHwcapIsAnError() {
    assertThrows(IllegalArgumentException.class, () -> CpuFeatures.fromAuxv(new byte[0]));
    // Behind AT_NULL it does not count.
    assertThrows(
        IllegalArgumentException.class, () -> CpuFeatures.fromAuxv(auxv(6, 4096, 0, 0, 16, 1)));
  }

  @Test
  void cpuinfoOfAnX86Machine() {
    String cpuinfo =
        """
        processor\t: 0
        model name\t: Intel(R) Xeon(R) Processor @ 2.60GHz
        flags\t\t: fpu vme sse4_1 sse4_2 fma f16c avx avx2 bmi2 avx512f avx512vl avx512_vnni amx_int8
        vmx flags\t: vnmi amx_tile

        processor\t: 1
        flags\t\t: fpu avx_vnni
        """;
    assertEquals(
        Set.of(
            "sse4_1",
            "sse4_2",
            "fma",
            "f16c",
            "avx",
            "avx2",
            "bmi2",
            "avx512f",
            "avx512vl",
            "avx512_vnni",
            "amx_int8"),
        CpuFeatures.fromCpuinfo(cpuinfo));
    assertThrows(IllegalArgumentException.class, () -> CpuFeatures.fromCpuinfo("processor : 0\n"));
  }

  @Test
  void sysctlOfAnAppleMachine() {
    String m4 =
        """
        hw.optional.arm.FEAT_DotProd: 1
        hw.optional.arm.FEAT_FP16: 1
        hw.optional.arm.FEAT_I8MM: 1
        hw.optional.arm.FEAT_BF16: 1
        hw.optional.arm.FEAT_SME: 1
        hw.optional.arm.FEAT_SME2: 1
        hw.optional.arm.FEAT_SME2p1: 0
        hw.optional.arm.sme_max_svl_b: 64
        """;
    assertEquals(
        Set.of("dotprod", "asimdhp", "i8mm", "bf16", "sme", "sme2"), CpuFeatures.fromSysctl(m4));
    String virtual = m4.replace("svl_b: 64", "svl_b: 0");
    assertEquals(Set.of("dotprod", "asimdhp", "i8mm", "bf16"), CpuFeatures.fromSysctl(virtual));
    String m1 = "hw.optional.arm.FEAT_DotProd: 1\nhw.optional.arm.FEAT_I8MM: 0\n";
    assertEquals(Set.of("dotprod"), CpuFeatures.fromSysctl(m1));
    assertThrows(
        IllegalArgumentException.class,
        () -> CpuFeatures.fromSysctl("sysctl: unknown oid 'hw.optional.arm'"));
  }

  @Test
  void aMaskTakesAwayAndWhatNeedsItGoesToo() {
    Set<String> all = Set.of("dotprod", "i8mm", "sve", "sve2", "sve2p1", "sme", "sme2", "sme2p1");
    assertEquals(all, CpuFeatures.masked(all, "quern.cpu.mask", null));
    assertEquals(
        less(all, "i8mm", "sme", "sme2", "sme2p1"),
        CpuFeatures.masked(all, "quern.cpu.mask", "-sme,-i8mm"));
    assertEquals(
        less(all, "sve", "sve2", "sve2p1"), CpuFeatures.masked(all, "quern.cpu.mask", " -sve "));
    assertEquals(less(all, "sme2", "sme2p1"), CpuFeatures.masked(all, "quern.cpu.mask", "-sme2"));
  }

  @Test
  void aMaskMayNameWhatTheMachineLacks() {
    assertEquals(Set.of("avx2"), CpuFeatures.masked(Set.of("avx2"), "quern.cpu.mask", "-sme"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "+sme        | '+sme' would add a feature",
        "-i8mn       | unknown CPU feature 'i8mn' (did you mean i8mm?)",
        "sme         | element 'sme', expected -name",
        "-sme,,-i8mm | element '', expected -name",
        "''          | element '', expected -name",
        "-           | element '-', expected -name",
      })
  void aMalformedMaskIsAnError(String mask, String message) {
    var e =
        assertThrows(
            IllegalArgumentException.class,
            () -> CpuFeatures.masked(Set.of("dotprod"), "quern.cpu.mask", mask));
    assertTrue(e.getMessage().contains("quern.cpu.mask=" + mask), e.getMessage());
    assertTrue(e.getMessage().contains(message), e.getMessage());
    assertFalse(e.getMessage().contains("\n"));
  }

  private static byte[] auxv(long... words) {
    ByteBuffer bytes = ByteBuffer.allocate(words.length * 8).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(words).forEach(bytes::putLong);
    return bytes.array();
  }

  private static Set<String> less(Set<String> features, String... names) {
    Set<String> left = new HashSet<>(features);
    left.removeAll(Set.of(names));
    return left;
  }
}

package dev.quern.provider.x86.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class CpuRowTest {
  private static final Set<String> SAPPHIRE_RAPIDS =
      Set.of(
          "avx",
          "avx2",
          "fma",
          "f16c",
          "avx512f",
          "avx512bw",
          "avx512dq",
          "avx512vl",
          "avx512_vnni",
          "avx512_bf16",
          "avx_vnni",
          "amx_tile",
          "amx_int8",
          "amx_bf16");

  @Test
  void masksMakeOneMachineAllRows() {
    assertEquals("amx", best());
    assertEquals("avx512-vnni", best("amx_int8"));
    assertEquals("avx512-vnni", best("amx_tile"));
    assertEquals("avx-vnni", best("amx_tile", "avx512f"));
    assertEquals("avx-vnni", best("avx512_vnni"));
    assertEquals("avx2", best("avx512_vnni", "avx_vnni"));
    assertEquals("none", best("fma"));
  }

  private static String best(String... masked) {
    Set<String> features = new TreeSet<>(SAPPHIRE_RAPIDS);
    for (String name : masked) {
      assertTrue(features.remove(name), name);
    }
    return CpuRow.best(features).map(CpuRow::toString).orElse("none");
  }

  @Test
  void whatIsLacking() {
    assertEquals("", CpuRow.AVX2.lacking(SAPPHIRE_RAPIDS));
    assertEquals("avx2 needs f16c fma", CpuRow.AVX2.lacking(Set.of("avx", "avx2")));
  }

  /// Each row is of no use unless some CPU has it and no better one.
  @Test
  void noRowHidesAnother() {
    for (CpuRow row : CpuRow.table()) {
      assertEquals(Optional.of(row), CpuRow.best(row.needs()));
    }
  }
}

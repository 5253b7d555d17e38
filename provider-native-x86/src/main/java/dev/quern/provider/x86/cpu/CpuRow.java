package dev.quern.provider.x86.cpu;

import static java.util.stream.Collectors.joining;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// A class of CPUs that gets code of its own. Code of a row is assembled for the row's features and
/// no others, so that masking features makes any machine one of a lower row.
///
/// @param name for reports
/// @param needs features in the names of Linux's `/proc/cpuinfo`, as
///   [dev.quern.spi.Platform#cpuFeatures] has them
public record CpuRow(String name, Set<String> needs) {
  /// Haswell and Zen, and all since.
  public static final CpuRow AVX2 = new CpuRow("avx2", Set.of("avx", "avx2", "fma", "f16c"));

  /// Int8 dot products under VEX: Alder Lake and later, without AVX-512.
  public static final CpuRow AVX_VNNI = AVX2.and("avx-vnni", "avx_vnni");

  /// Int8 dot products of 512 bits: Ice Lake, Zen 4.
  public static final CpuRow AVX512_VNNI =
      AVX2.and("avx512-vnni", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni");

  /// With BF16 dot products besides: Cooper Lake, Zen 4, and Sapphire Rapids where it has no tiles.
  /// No row of the table, since Intel's take longer for them than for F32's products.
  public static final CpuRow AVX512_BF16 = AVX512_VNNI.and("avx512-bf16", "avx512_bf16");

  /// The same on AMD's, which multiply BF16 at twice the rate of F32. SSE4a tells them from
  /// Intel's, which never had it.
  public static final CpuRow ZEN4 = AVX512_BF16.and("zen4", "sse4a");

  /// Tiles: Sapphire Rapids. The operating system has to permit them as well ([AmxPermission]).
  public static final CpuRow AMX =
      AVX512_VNNI.and("amx", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16");

  private static final List<CpuRow> TABLE = List.of(AMX, ZEN4, AVX512_VNNI, AVX_VNNI, AVX2);

  public CpuRow {
    needs = Set.copyOf(needs);
  }

  private CpuRow and(String newName, String... more) {
    Set<String> all = new TreeSet<>(needs);
    all.addAll(List.of(more));
    return new CpuRow(newName, all);
  }

  /// All rows, best first.
  public static List<CpuRow> table() {
    return TABLE;
  }

  /// The best row for a CPU; empty where it is too old for any.
  public static Optional<CpuRow> best(Set<String> features) {
    return TABLE.stream().filter(row -> features.containsAll(row.needs)).findFirst();
  }

  /// What a CPU lacks for this row, as a reason: `avx-vnni needs avx_vnni`. Empty if nothing.
  public String lacking(Set<String> features) {
    String names = needs.stream().filter(f -> !features.contains(f)).sorted().collect(joining(" "));
    return names.isEmpty() ? "" : name + " needs " + names;
  }

  @Override
  public String toString() {
    return name;
  }
}

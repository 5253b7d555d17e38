package dev.quern.provider.kleidi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.util.stream.Collectors.joining;

import dev.quern.provider.kleidi.KleidiAi.LhsPacker;
import dev.quern.provider.kleidi.KleidiAi.PackedLayout;
import dev.quern.provider.kleidi.KleidiAi.Tiling;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What a library and a CPU have in common. Kernels are opened when they are asked for, once.
final class LoadedKernels {
  private final KleidiAi library;
  private final Set<String> features;
  private final int smeThreads;

  /// Guarded by this.
  private final Map<KernelFamily, KernelPair> opened = new EnumMap<>(KernelFamily.class);

  /// @param features the CPU's
  /// @param smeThreads how many threads may use SME
  LoadedKernels(KleidiAi library, Set<String> features, int smeThreads) {
    this.library = library;
    this.features = features;
    this.smeThreads = smeThreads;
  }

  /// Whether a family has a kernel, by symbols alone.
  boolean runs(KernelFamily family) {
    return rows(family).stream().anyMatch(r -> r.obstacle(features, smeThreads, library).isEmpty());
  }

  /// Whether the matrix unit is used, for people; empty where the CPU has none.
  String sme() {
    if (!features.contains("sme")) {
      return "";
    }
    return switch (smeThreads) {
      case 0 -> "; the matrix unit (SME) is left alone unless quern.kleidi.sme asks for it";
      case Integer.MAX_VALUE -> "; all threads may use the matrix unit (SME)";
      default -> "; threads that may use the matrix unit (SME): " + smeThreads;
    };
  }

  /// Why the rows of a family don't run, for people.
  String obstacles(KernelFamily family) {
    return rows(family).stream()
        .map(r ->
            String.format(
                Locale.ROOT, "%s: %s", r.gemm(), r.obstacle(features, smeThreads, library)))
        .collect(joining("; ", " (", ")"));
  }

  private static List<KernelRow> rows(KernelFamily family) {
    return KernelRow.TABLE.stream().filter(r -> r.family() == family).toList();
  }

  /// The best pair of kernels of a family, if any can run.
  synchronized Optional<KernelPair> pair(KernelFamily family) {
    if (!opened.containsKey(family)) {
      Set<String> known = knownFeatures();
      rows(family).stream()
          .filter(r -> r.obstacle(known, smeThreads, library).isEmpty())
          .findFirst()
          .ifPresent(r -> opened.put(family, r.open(known, smeThreads, library)));
    }
    return Optional.ofNullable(opened.get(family));
  }

  /// All rows that can run, and not only the best of each family.
  List<KernelPair> allPairs() {
    Set<String> known = knownFeatures();
    return KernelRow.TABLE.stream()
        .filter(r -> r.obstacle(known, smeThreads, library).isEmpty())
        .map(r -> r.open(known, smeThreads, library))
        .toList();
  }

  /// The CPU's features, and the length of its SVE vectors where kernels depend on it. It is the
  /// one of this thread, which the JVM may have shortened (`-XX:MaxVectorSize`).
  private Set<String> knownFeatures() {
    Set<String> known = new HashSet<>(features);
    if (features.contains("sve") && library.sveVectorBytes() == 32) {
      known.add(KernelRow.SVE_256);
    }
    return known;
  }

  /// Whether the library rounds ties of `qai8dxp` to even, as it did before 1.22, and not away from
  /// zero. Both are within SPEC.md's L8, but not the same bits. Asked by what it does: a row of 0,
  /// 255 and 2.5 has a step of 1 and a zero point of -128, so that 2.5 becomes -126 or -125.
  boolean roundsToEven() {
    LhsPacker packer = library.lhsPacker("lhs_quant_pack_qai8dxp_f32", false);
    Tiling vectors = new Tiling(1, 4, 16, 2); // only its vector code rounded so
    PackedLayout layout = new PackedLayout(32, 32, vectors);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment x = arena.allocate(32 * Float.BYTES, Float.BYTES);
      x.setAtIndex(JAVA_FLOAT, 1, 255);
      x.setAtIndex(JAVA_FLOAT, 2, 2.5f);
      MemorySegment packed =
          arena.allocate(packer.packedSize(1, layout) + KleidiAi.SPARE_BYTES, Split.LINE);
      packer.pack(1, layout, x, 0, 32 * Float.BYTES, packed, 0);
      return packed.get(JAVA_BYTE, 2) == -126;
    }
  }
}

package dev.quern.benchmarks;

import java.util.List;
import java.util.Optional;

/// Something that both engines are measured at.
///
/// @param name as users write it
/// @param kind what is measured
/// @param promptTokens tokens of the prompt
/// @param genTokens tokens to decode
/// @param depth tokens of context before both
record Workload(String name, Kind kind, int promptTokens, int genTokens, int depth) {
  /// What a workload measures, and so what its numbers are.
  enum Kind {
    /// Tokens a second; more is better.
    SPEED("tok/s", true),
    /// Tokens a second with one core taken by another process, as a share of the same engine's own
    /// quiet run; more is better.
    BUSY("busy/quiet", true),
    /// Peak resident MiB of a run; less is better.
    MEMORY("MiB", false),
    /// Seconds from `exec` to the end of a run that generates one token; less is better.
    COLD("s", false);

    private final String unit;
    private final boolean moreIsBetter;

    Kind(String unit, boolean moreIsBetter) {
      this.unit = unit;
      this.moreIsBetter = moreIsBetter;
    }

    String unit() {
      return unit;
    }

    boolean moreIsBetter() {
      return moreIsBetter;
    }
  }

  private static final List<Workload> TABLE =
      List.of(
          new Workload("prefill512", Kind.SPEED, 512, 0, 0),
          new Workload("prefill64", Kind.SPEED, 64, 0, 0),
          new Workload("decode128", Kind.SPEED, 0, 128, 0),
          new Workload("decode4096", Kind.SPEED, 0, 128, 4096),
          new Workload("busy", Kind.BUSY, 0, 32, 0),
          new Workload("memory", Kind.MEMORY, 64, 32, 0),
          new Workload("cold", Kind.COLD, 64, 1, 0));

  /// All, in the order of the report.
  static List<Workload> all() {
    return TABLE;
  }

  static Optional<Workload> byName(String name) {
    return TABLE.stream().filter(w -> w.name.equals(name)).findFirst();
  }
}

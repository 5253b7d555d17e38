package dev.quern.benchmarks;

import java.util.List;
import java.util.Optional;

/// Something that both engines are measured at.
///
/// @param name as users write it
/// @param title as charts write it
/// @param kind what is measured
/// @param promptTokens tokens of the prompt
/// @param genTokens tokens to decode
/// @param depth tokens of context before both
record Workload(String name, String title, Kind kind, int promptTokens, int genTokens, int depth) {
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

    /// The unit, and which way is better where that is not the usual one.
    String unitText() {
      return moreIsBetter ? unit : unit + ", less is better";
    }
  }

  private static final List<Workload> TABLE =
      List.of(
          new Workload("prefill512", "Prefill of 512 tokens", Kind.SPEED, 512, 0, 0),
          new Workload("prefill64", "Prefill of 64 tokens", Kind.SPEED, 64, 0, 0),
          new Workload("decode128", "Decode of 128 tokens", Kind.SPEED, 0, 128, 0),
          new Workload("decode4096", "Decode after 4,096 tokens", Kind.SPEED, 0, 128, 4096),
          new Workload("busy", "Decode with a core busy, as a share of quiet", Kind.BUSY, 0, 32, 0),
          new Workload("memory", "Peak resident memory", Kind.MEMORY, 64, 32, 0),
          new Workload("cold", "Cold start to the first token", Kind.COLD, 64, 1, 0));

  /// All, in the order of the report.
  static List<Workload> all() {
    return TABLE;
  }

  static Optional<Workload> byName(String name) {
    return TABLE.stream().filter(w -> w.name.equals(name)).findFirst();
  }
}
